import CZeroMQ
import Domain
import Glibc
import Logging
import SwiftProtobuf
import Testing
import Wire

@testable import Messaging

@Suite("CURVE and ZAP over tcp", .timeLimit(.minutes(1)))
struct BusSecurityTests {
    let folder = TemporaryFolder()
    let strangers = TemporaryFolder()
    let endpoint = "tcp://127.0.0.1:\(Int.random(in: 20_000..<32_000))"

    private func worker() throws -> MessageBus {
        var routes = Routes(service: .policy)
        echo(&routes)
        return try MessageBus(
            try Fixture.configuration(
                .policy, bind: [endpoint], security: .curve(try CurveKeys.load(folder: folder.path, service: .policy))),
            routes: routes, logger: Fixture.logger())
    }

    private func caller(
        _ service: ServiceName = .gateway, keys: CurveKeys? = nil, logger: Logger = Fixture.logger()
    ) throws -> MessageBus {
        try MessageBus(
            try Fixture.configuration(
                service, callees: [.policy: [endpoint]],
                security: .curve(try keys ?? CurveKeys.load(folder: folder.path, service: service))),
            logger: logger)
    }

    private func code(_ bus: MessageBus, timeout: Duration = .milliseconds(400)) async -> ErrorCode? {
        await failure { _ = try await bus.call(question(""), Fixture.context(timeout)) }?.code
    }

    @Test("the right key is let in, and its service is who asks")
    func rightKey() async throws {
        let (worker, caller) = (try worker(), try caller())
        try await Fixture.run([worker, caller]) {
            let reply = try await caller.call(question("x"), Fixture.context())
            #expect(reply.kind == "gateway")
        }
    }

    @Test("a key that is not in the folder is refused")
    func wrongKey() async throws {
        let worker = try worker()
        // Trusts the callee, but is not trusted by it.
        let own = try CurveKeys.load(folder: strangers.path, service: .gateway, trust: folder.path)
        let stranger = try caller(keys: own)
        try await Fixture.run([worker, stranger]) { #expect(await code(stranger) == .unavailable) }
    }

    @Test("a key that is refused is no alarm at first, as it may have been made this moment; refused for long it is")
    func refusedForLong() async throws {
        let worker = try worker()
        let own = try CurveKeys.load(folder: strangers.path, service: .gateway, trust: folder.path)
        let (levels, heard) = AsyncStream.makeStream(of: Logger.Level.self)
        let stranger = try caller(keys: own, logger: Logger(label: "test") { _ in RefusalLog(levels: heard) })
        let heardUntilAlarm = try await Fixture.run([worker, stranger]) {
            var heard: [Logger.Level] = []
            for await level in levels {
                heard.append(level)
                if level == .error { break }
            }
            return heard
        }
        #expect(heardUntilAlarm.first == .notice)
    }

    @Test("a callee with another key than the folder's is not spoken to")
    func wrongCallee() async throws {
        let worker = try worker()
        _ = try CurveKeys.load(folder: folder.path, service: .gateway)
        _ = try CurveKeys.load(folder: strangers.path, service: .policy)
        let deceived = try caller(keys: try CurveKeys.load(folder: strangers.path, service: .gateway))
        try await Fixture.run([worker, deceived]) { #expect(await code(deceived) == .unavailable) }
    }

    @Test("a service may only ask what is its to ask")
    func method() async throws {
        let (worker, notifier) = (try worker(), try caller(.notifier))
        try await Fixture.run([worker, notifier]) { #expect(await code(notifier, timeout: .seconds(30)) == .refused) }
    }

    @Test("no key at all is refused: neither READY nor any other frame comes back")
    func noKey() async throws {
        let (worker, caller) = (try worker(), try caller())
        try await Fixture.run([worker, caller]) {
            await Fixture.ready(caller, .policy)
            #expect(plainHello(waiting: 300) == nil)
            let reply = try await caller.call(question("x"), Fixture.context())
            #expect(reply.name == "x")
        }
    }

    @Test("garbage on the port leaves the service working")
    func garbage() async throws {
        let (worker, caller) = (try worker(), try caller())
        try await Fixture.run([worker, caller]) {
            await Fixture.ready(caller, .policy)
            var generator = SystemRandomNumberGenerator()
            for round in 0..<50 {
                let bytes = (0..<(round * 40 + 1)).map { _ in UInt8.random(in: 0...255, using: &generator) }
                send(bytes)
            }
            let reply = try await caller.call(question("x"), Fixture.context())
            #expect(reply.name == "x")
        }
    }

    @Test("a key that joins the folder is taken up, and one that leaves it is refused, without a restart")
    func rotation() async throws {
        let worker = try worker()
        let own = try CurveKeys.load(folder: strangers.path, service: .gateway, trust: folder.path)
        let caller = try caller(keys: own)
        try await Fixture.run([worker, caller]) {
            #expect(await code(caller, timeout: .milliseconds(200)) == .unavailable)
            try KeyFile.write(own.publicKey, to: "\(folder.path)/gateway-new.pub", mode: 0o644)
            let reply = try await caller.call(question("in"), Fixture.context())
            #expect(reply.name == "in")
            unlink("\(folder.path)/gateway-new.pub")
            for await instances in caller.instances(of: .policy) where instances.isEmpty { break }
            #expect(await code(caller, timeout: .milliseconds(200)) == .unavailable)
        }
    }

    @Test("a key that moves to another service asks as that one only, on connections that are open too")
    func moved() async throws {
        let worker = try worker()
        let own = try CurveKeys.load(folder: strangers.path, service: .gateway, trust: folder.path)
        let caller = try caller(keys: own)
        try KeyFile.write(own.publicKey, to: "\(folder.path)/gateway-moved.pub", mode: 0o644)
        try await Fixture.run([worker, caller]) {
            _ = try await caller.call(question("in"), Fixture.context())
            #expect(rename("\(folder.path)/gateway-moved.pub", "\(folder.path)/notifier-moved.pub") == 0)
            var last: ErrorCode?
            for _ in 0..<2_000 where last != .refused { last = await code(caller, timeout: .seconds(30)) }
            #expect(last == .refused)
        }
    }

    @Test("a callee whose key leaves the folder is dropped at once")
    func droppedCallee() async throws {
        let worker = try worker()
        let trust = TemporaryFolder()
        let own = try CurveKeys.load(folder: strangers.path, service: .gateway, trust: trust.path)
        try KeyFile.write(own.publicKey, to: "\(folder.path)/gateway-own.pub", mode: 0o644)
        let callee = try CurveKeys.load(folder: folder.path, service: .policy)
        try KeyFile.write(callee.publicKey, to: "\(trust.path)/policy.pub", mode: 0o644)
        let caller = try caller(keys: own)
        try await Fixture.run([worker, caller]) {
            await Fixture.ready(caller, .policy)
            unlink("\(trust.path)/policy.pub")
            var last: ErrorCode?
            for _ in 0..<2_000 where last == nil { last = await code(caller) }
            #expect(last == .unavailable)
        }
    }

    @Test("a reply that fits no encrypted frame is told as such, and the connection stays")
    func largeReply() async throws {
        var routes = Routes(service: .policy)
        routes.on(AuthenticateToken.self) { request, _ in
            .with { $0.name = String(repeating: "x", count: Int(request.tenant) ?? 0) }
        }
        let worker = try MessageBus(
            try Fixture.configuration(
                .policy, bind: [endpoint], security: .curve(try CurveKeys.load(folder: folder.path, service: .policy))),
            routes: routes, logger: Fixture.logger())
        let caller = try caller()
        try await Fixture.run([worker, caller]) {
            // Without CURVE's own octets this one would fit.
            let large = BusLimits().frameBytesMax - FrameHeader.bytes - 8
            let error = await failure { _ = try await caller.call(question("\(large)"), Fixture.context()) }
            #expect(error?.code == .internal)
            let fits = BusLimits().frameBytesMax - FrameHeader.bytes - 72
            let reply = try await caller.call(question("\(fits)"), Fixture.context())
            #expect(reply.name.utf8.count == fits)
        }
    }

    @Test("keys are made once, the secret for its owner only; a secret that others may read is refused")
    func files() throws {
        let first = try CurveKeys.load(folder: folder.path, service: .verifier)
        let second = try CurveKeys.load(folder: folder.path, service: .verifier)
        #expect(first.publicKey == second.publicKey)
        #expect(second.readTrusted().keys.service(of: first.publicKey) == .verifier)
        let path = "\(folder.path)/verifier.key"
        var status = stat()
        #expect(stat(path, &status) == 0 && status.st_mode & 0o777 == 0o600)
        chmod(path, 0o640)
        #expect(throws: BusError.self) { try CurveKeys.load(folder: folder.path, service: .verifier) }
        // As root's group alone may read it, it is a credential.
        chmod(path, 0o440)
        let read = try? CurveKeys.load(folder: folder.path, service: .verifier)
        #expect((read != nil) == (geteuid() == 0 && getegid() == 0))
    }

    /// HELLO without any security, as a program that does not know our keys would send it; what comes back in `waiting` milliseconds.
    private func plainHello(waiting milliseconds: Int32) -> [UInt8]? {
        let context = Context()
        defer { context.terminate() }
        guard let socket = try? Socket(context, ZMQ_DEALER) else { return nil }
        socket.set(ZMQ_LINGER, 0)
        guard socket.connect(endpoint) == nil else { return nil }
        let body = HelloBody(service: "gateway").encoded()
        var bytes = [UInt8](repeating: 0, count: FrameHeader.bytes)
        bytes.withUnsafeMutableBytes { FrameHeader(.hello).encode(bodyBytes: body.count, into: $0) }
        var message = Message(bytes + body)
        _ = socket.send(&message)
        var descriptor = pollfd(fd: socket.fileDescriptor(), events: Int16(POLLIN), revents: 0)
        let end = ContinuousClock.now + .milliseconds(Int64(milliseconds))
        while ContinuousClock.now < end {
            if socket.receive(&message) == .done { return message.copy() }
            poll(&descriptor, 1, 20)
        }
        return nil
    }

    private func send(_ bytes: [UInt8]) {
        guard let port = endpoint.split(separator: ":").last.flatMap({ UInt16($0) }) else { return }
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let isConnected = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
        #expect(isConnected)
        _ = Glibc.send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL))
    }
}

/// Passes on the level at which a bus says that its key is refused.
private struct RefusalLog: LogHandler {
    let levels: AsyncStream<Logger.Level>.Continuation
    var metadata: Logger.Metadata = [:]
    var logLevel = Logger.Level.trace

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        if "\(event.message)".contains("refuses this service's key") { levels.yield(event.level) }
    }
}
