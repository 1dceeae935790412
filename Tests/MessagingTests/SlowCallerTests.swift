import CZeroMQ
import Domain
import Glibc
import SwiftProtobuf
import Synchronization
import Testing
import Wire

@testable import Messaging

@Suite("A caller that does not read", .timeLimit(.minutes(1)))
struct SlowCallerTests {
    private let folder = TemporaryFolder()
    private var path: String { "ipc://\(folder.path)/policy" }
    private let started = Tally()
    private let stopped = Tally()

    /// Parks what has request id 0; answers the rest with a tenth of a megabyte.
    private func routes() -> Routes {
        let (started, stopped) = (started, stopped)
        let name = String(repeating: "x", count: 100_000)
        var routes = Routes(service: .policy)
        routes.on(WatchPolicy.self) { _, context in
            guard context.call.requestID.low != 0 else {
                started.add()
                defer { stopped.add() }
                try await untilCancelled()
                return WatchPolicyReply()
            }
            return .with { $0.changed = [.with { $0.name = name }] }
        }
        return routes
    }

    private func limits() -> BusLimits {
        var limits = Fixture.limits()
        limits.windowMax = 8
        return limits
    }

    @Test("costs the callee no time while its connection is full")
    func idle() async throws {
        let configuration = try Fixture.configuration(.policy, bind: [path], limits: limits())
        let (routes, reactor, ended) = (routes(), Reactor(), Latch())
        let used = Mutex(Duration.zero)
        let isStarted = Reactor.startThread(named: "bus-test") {
            Engine(configuration, routes: routes, logger: Fixture.logger(), metrics: { _ in }, reactor: reactor).run()
            var time = timespec()
            clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
            used.withLock { $0 = .seconds(time.tv_sec) + .nanoseconds(time.tv_nsec) }
            ended.open()
        }
        #expect(isStarted)
        try await withCheckedContinuation { continuation in
            if !reactor.post(.start(continuation)) { continuation.resume(returning: .failure(.stopped)) }
        }.get()
        reactor.post(.open)
        let caller = try MuteCaller(path)
        await caller.greet()
        // More than its connection takes, and less than may wait for it.
        caller.ask(150)
        // It does not beat either: after three beats it is forgotten, and what it asked for is stopped.
        await stopped.reach(1)
        reactor.post(.abandon)
        await ended.wait()
        #expect(used.withLock(\.self) < .milliseconds(500))
    }

    @Test("is forgotten, with what it asked for, when too many bytes wait for it")
    func bytes() async throws {
        var limits = limits()
        limits.outboundBytesMax = 1_000_000
        // So long that silence is not what ends it.
        limits.heartbeatInterval = .seconds(60)
        let dropped = Tally()
        let worker = try MessageBus(
            try Fixture.configuration(.policy, bind: [path], limits: limits), routes: routes(), logger: Fixture.logger()
        ) { if case .droppedReply = $0 { dropped.add() } }
        try await Fixture.run([worker]) {
            let caller = try MuteCaller(path)
            await caller.greet()
            caller.ask(300)
            await dropped.reach(1)
            await stopped.reach(1)
        }
    }

    @Test("keeps its line in order and within its bytes, and gives them back")
    func line() {
        var limits = BusLimits()
        limits.outboundBytesMax = 10
        limits.outboundBytesTotalMax = 15
        var lines = OutboundLines(limits: limits)
        let (one, two) = (SessionID(rawValue: 1), SessionID(rawValue: 2))
        let taken: [Bool] = [
            lines.append([1, 1, 1, 1], for: one), lines.append([2, 2, 2, 2], for: one),
            lines.append([3, 3, 3, 3], for: one), lines.append([4, 4, 4, 4], for: two),
            lines.append([5, 5, 5, 5], for: two),
        ]
        #expect(taken == [true, true, false, true, false])
        #expect(lines.first(of: one) == [1, 1, 1, 1])
        lines.removeFirst(of: one)
        #expect(lines.first(of: one) == [2, 2, 2, 2])
        #expect(lines.bytes == 8)
        lines.drop(two)
        lines.removeFirst(of: one)
        #expect(lines.isEmpty && lines.bytes == 0)
    }
}

/// A DEALER without a bus behind it: greets, asks, and receives nothing but READY.
final class MuteCaller {
    // In this order: the context ends when its last socket has been closed, and waits for that.
    private let socket: Socket
    private let context = Context()

    init(_ endpoint: String) throws {
        socket = try Socket(context, ZMQ_DEALER)
        socket.set(ZMQ_LINGER, 0)
        socket.set(ZMQ_SNDHWM, 0)
        socket.set(ZMQ_RCVHWM, 1)
        if let reason = socket.connect(endpoint) { throw BusError.configuration(reason) }
    }

    /// Returns when READY has come: who asks before that is refused.
    func greet() async {
        send(FrameHeader(.hello), HelloBody(service: "gateway").encoded())
        var message = Message()
        while socket.receive(&message) != .done { await Task.yield() }
    }

    /// One request that parks, then `count` that are answered at once.
    func ask(_ count: UInt64) {
        for number in 0...count {
            var header = FrameHeader(.request)
            header.method = WatchPolicy.method.id
            header.sequence = Sequence.parkedBit | (number + 1)
            header.requestID = RequestID(high: 0, low: number)
            send(header, [])
        }
    }

    private func send(_ header: FrameHeader, _ body: [UInt8]) {
        var bytes = [UInt8](repeating: 0, count: header.encodedBytes)
        bytes.withUnsafeMutableBytes { header.encode(bodyBytes: body.count, into: $0) }
        var message = Message(bytes + body)
        #expect(socket.send(&message) == .done)
    }
}
