import NIOCore
import Synchronization

/// What one event stream still has to send. Bounded: a reader that falls this far behind is ended and comes back with a new request.
final class StreamMailbox: Sendable {
    static let pendingMax = 64

    private struct State {
        var pending: [ByteBuffer] = []
        var reader: CheckedContinuation<ByteBuffer?, Never>?
        var hasEnded = false
    }

    private let state = Mutex(State())
    private let onOverflow: @Sendable () -> Void

    init(onOverflow: @escaping @Sendable () -> Void = {}) { self.onOverflow = onOverflow }

    /// False when the stream has ended, as it does when the reader is too slow.
    @discardableResult
    func send(_ buffer: ByteBuffer) -> Bool {
        enum Outcome {
            case queued, refused, overflow
            case delivered(CheckedContinuation<ByteBuffer?, Never>)
        }
        let outcome: Outcome = state.withLock { state in
            guard !state.hasEnded else { return .refused }
            if let reader = state.reader {
                state.reader = nil
                return .delivered(reader)
            }
            guard state.pending.count < Self.pendingMax else {
                state.pending = []
                return .overflow
            }
            state.pending.append(buffer)
            return .queued
        }
        switch outcome {
        case .queued: return true
        case .refused: return false
        case .delivered(let reader):
            reader.resume(returning: buffer)
            return true
        case .overflow:
            end()
            onOverflow()
            return false
        }
    }

    /// What is pending is still delivered; then the stream ends.
    func end() {
        let reader = state.withLock { state in
            state.hasEnded = true
            defer { state.reader = nil }
            return state.reader
        }
        reader?.resume(returning: nil)
    }

    /// The next piece to write; nil at the end. One reader at a time.
    func next() async -> ByteBuffer? {
        await withTaskCancellationHandler {
            await withCheckedContinuation { (continuation: CheckedContinuation<ByteBuffer?, Never>) in
                let ready: ByteBuffer?? = state.withLock { state in
                    if !state.pending.isEmpty { return .some(state.pending.removeFirst()) }
                    if state.hasEnded { return .some(nil) }
                    state.reader = continuation
                    return nil
                }
                if let ready { continuation.resume(returning: ready) }
            }
        } onCancel: {
            end()
        }
    }
}

/// Server-sent events (WHATWG HTML section 9.2).
enum EventFraming {
    /// `data` is JSON, which has no line breaks of its own here.
    static func event(_ name: String, _ data: [UInt8]) -> ByteBuffer {
        var buffer = ByteBuffer()
        buffer.writeString("event: \(name)\ndata: ")
        buffer.writeBytes(data)
        buffer.writeString("\n\n")
        return buffer
    }

    static let comment = ByteBuffer(string: ":\n\n")
}
