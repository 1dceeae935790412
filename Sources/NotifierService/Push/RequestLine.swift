import Synchronization

/// Where requests to one provider wait for a place on its connection, first come first served.
///
/// A provider says how many streams it takes at the same time (RFC 9113 section 5.1.2). Requests above that would wait in the client's
/// pool, whose time for a connection runs out, as if the provider could not be reached. Here nothing runs out: a few more requests are let
/// go than streams are open, so the line moves as fast as the provider opens them, whatever its limit is.
final class RequestLine: Sendable {
    /// As many as the client opens connections for, where the provider has no streams: HTTP/1.1.
    private static let aheadMax = 8

    private struct State {
        var admitted = 0
        var streams = 0
        var tickets: UInt64 = 0
        var waiting: [UInt64: CheckedContinuation<Bool, Never>] = [:]
        /// As they came, those among them who have gone.
        var order: ArraySlice<UInt64> = []
        var isClosed = false

        /// Enough to fill what becomes free; few, since they are what waits in the pool.
        private var ahead: Int { streams == 0 ? aheadMax : max(1, min(aheadMax, streams / 8)) }
        var mayAdmit: Bool { admitted - streams < ahead }

        mutating func admitNext() -> CheckedContinuation<Bool, Never>? {
            guard mayAdmit else { return nil }
            while let ticket = order.popFirst() {
                guard let next = waiting.removeValue(forKey: ticket) else { continue }
                admitted += 1
                return next
            }
            return nil
        }
    }

    private let state = Mutex(State())

    /// Streams of HTTP/2 that are open now.
    var streams: Int { state.withLock(\.streams) }
    var waiting: Int { state.withLock(\.waiting.count) }

    /// Returns when a request may be made, which ends with `leave`; or false, with nothing to end, when the caller was cancelled before, or
    /// the connection is given up.
    func enter() async -> Bool {
        let ticket = state.withLock { state in
            state.tickets += 1
            return state.tickets
        }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isAdmitted = state.withLock { state -> Bool? in
                    if Task.isCancelled || state.isClosed { return false }
                    guard state.waiting.isEmpty, state.mayAdmit else {
                        state.waiting[ticket] = continuation
                        state.order.append(ticket)
                        return nil
                    }
                    state.admitted += 1
                    return true
                }
                if let isAdmitted { continuation.resume(returning: isAdmitted) }
            }
        } onCancel: {
            state.withLock { $0.waiting.removeValue(forKey: ticket) }?.resume(returning: false)
        }
    }

    /// Nobody is let go any more: the connection is given up.
    func close() {
        let waiting = state.withLock { state in
            state.isClosed = true
            defer { state.waiting = [:] }
            return state.waiting.values
        }
        for one in waiting { one.resume(returning: false) }
    }

    func leave() { change { $0.admitted -= 1 } }
    func streamOpened() { change { $0.streams += 1 } }
    func streamClosed() { change { $0.streams -= 1 } }

    private func change(_ body: (inout State) -> Void) {
        state.withLock { body(&$0) }
        while let next = state.withLock({ $0.admitNext() }) { next.resume(returning: true) }
    }
}
