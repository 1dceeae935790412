import CZeroMQ
import Foundation
import Messaging

/// A DEALER that keeps `outstanding` messages under way at a ROUTER that sends each back: what the C library does with nothing around it.
/// Each end has a thread and a context of its own, as two processes would.
struct LibraryLoop {
    private let endpoint: String
    private let keys: Keys?

    /// The ROUTER's and the DEALER's key pairs, in Z85.
    private struct Keys: Sendable {
        let server: Pair
        let client: Pair

        struct Pair: Sendable {
            let publicKey: [CChar]
            let secretKey: [CChar]

            init() throws {
                var publicKey = [CChar](repeating: 0, count: 41)
                var secretKey = [CChar](repeating: 0, count: 41)
                try check(zmq_curve_keypair(&publicKey, &secretKey), "a key pair")
                (self.publicKey, self.secretKey) = (publicKey, secretKey)
            }
        }
    }

    init(_ security: Security, _ endpoint: Endpoint) throws {
        self.endpoint = endpoint.description
        keys = security == .curve ? Keys(server: try Keys.Pair(), client: try Keys.Pair()) : nil
    }

    func measure(_ load: Load) async throws -> Measurement {
        async let echoed: Void = Self.onThread { [self] in try echo() }
        async let measured = Self.onThread { [self] in try ask(load) }
        let measurement = try await measured
        try await echoed
        return measurement
    }

    /// Sends everything back until a message without content comes.
    private func echo() throws {
        let socket = try PlainSocket(ZMQ_ROUTER)
        if let keys {
            try socket.set(ZMQ_CURVE_SERVER, 1)
            try socket.set(ZMQ_CURVE_SECRETKEY, keys.server.secretKey)
        }
        try check(zmq_bind(socket.raw, endpoint), "bind \(endpoint)")
        var identity = [UInt8](repeating: 0, count: 256)
        var body = [UInt8](repeating: 0, count: 65_536)
        while true {
            let identityBytes = try socket.receive(into: &identity)
            let bodyBytes = try socket.receive(into: &body)
            if bodyBytes == 0 { return }
            try socket.send(identity, identityBytes, ZMQ_SNDMORE)
            try socket.send(body, bodyBytes)
        }
    }

    private func ask(_ load: Load) throws -> Measurement {
        let socket = try PlainSocket(ZMQ_DEALER)
        if let keys {
            try socket.set(ZMQ_CURVE_SERVERKEY, keys.server.publicKey)
            try socket.set(ZMQ_CURVE_PUBLICKEY, keys.client.publicKey)
            try socket.set(ZMQ_CURVE_SECRETKEY, keys.client.secretKey)
        }
        try check(zmq_connect(socket.raw, endpoint), "connect \(endpoint)")
        var body = [UInt8](repeating: 0x78, count: load.bodyBytes)
        // Once around before the clock runs, so that the handshake is over.
        try socket.send(body, body.count)
        _ = try socket.receive(into: &body)

        let clock = ContinuousClock()
        let start = clock.now
        let end = start + load.duration
        // Answers come in the order of the questions, so the ring says when each was sent.
        var sent = [ContinuousClock.Instant](repeating: start, count: load.outstanding)
        for _ in sent.indices { try socket.send(body, body.count) }
        var times: [Duration] = []
        var next = 0
        var underWay = load.outstanding
        while underWay > 0 {
            guard try socket.receive(into: &body) == load.bodyBytes else { throw LoopError.otherReply }
            let now = clock.now
            times.append(now - sent[next])
            sent[next] = now
            next = (next + 1) % sent.count
            if now < end { try socket.send(body, body.count) } else { underWay -= 1 }
        }
        let elapsed = clock.now - start
        try socket.send(body, 0)
        return Measurement(times, over: elapsed)
    }

    /// A thread of its own: both ends block.
    private static func onThread<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value
    {
        try await withCheckedThrowingContinuation { continuation in
            Thread { continuation.resume(with: Result { try body() }) }.start()
        }
    }
}

/// A socket in a context of its own, ended with it; used on the thread that made it alone.
private final class PlainSocket {
    /// Longer than any round trip: a peer that died ends the run instead of holding it.
    private static let timeoutMilliseconds: Int32 = 10_000

    private let context: UnsafeMutableRawPointer
    let raw: UnsafeMutableRawPointer

    init(_ type: Int32) throws {
        guard let context = zmq_ctx_new() else { throw failure("a context") }
        guard let raw = zmq_socket(context, type) else {
            zmq_ctx_term(context)
            throw failure("a socket")
        }
        (self.context, self.raw) = (context, raw)
        try set(ZMQ_RCVTIMEO, Self.timeoutMilliseconds)
        try set(ZMQ_SNDTIMEO, Self.timeoutMilliseconds)
        try set(ZMQ_LINGER, Self.timeoutMilliseconds)
    }

    deinit {
        zmq_close(raw)
        zmq_ctx_term(context)
    }

    func set(_ option: Int32, _ value: Int32) throws {
        var value = value
        try check(zmq_setsockopt(raw, option, &value, MemoryLayout<Int32>.size), "option \(option)")
    }

    /// A key: 40 characters and the closing zero.
    func set(_ option: Int32, _ key: [CChar]) throws {
        try check(zmq_setsockopt(raw, option, key, key.count), "option \(option)")
    }

    func send(_ bytes: [UInt8], _ count: Int, _ flags: Int32 = 0) throws {
        try check(zmq_send(raw, bytes, count, flags), "send")
    }

    /// How many bytes came.
    func receive(into bytes: inout [UInt8]) throws -> Int {
        let count = zmq_recv(raw, &bytes, bytes.count, 0)
        try check(count, "receive")
        return Int(count)
    }
}

private func check(_ result: Int32, _ step: String) throws { if result < 0 { throw failure(step) } }

private func failure(_ step: String) -> LoopError {
    .libzmq(step, reason: String(cString: zmq_strerror(zmq_errno())))
}
