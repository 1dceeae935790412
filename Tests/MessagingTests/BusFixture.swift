import Domain
import Glibc
import Logging
import Messaging
import SwiftProtobuf
import Synchronization
import Wire

@testable import Messaging

/// A folder that only this user may open, gone when the test is over.
final class TemporaryFolder: Sendable {
    let path: String

    init() {
        var template = Array("/tmp/countersign-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { preconditionFailure("no temporary folder can be made") }
        path = String(decoding: template.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    deinit {
        for name in KeyFile.names(in: path) ?? [] where name != "." && name != ".." { unlink("\(path)/\(name)") }
        rmdir(path)
    }
}

/// Buses that run in this process, over real sockets.
enum Fixture {
    static func limits() -> BusLimits {
        var limits = BusLimits()
        limits.heartbeatInterval = .milliseconds(500)
        limits.backOff = .milliseconds(10) ... .milliseconds(100)
        limits.deniedBackOff = .milliseconds(50) ... .milliseconds(100)
        limits.keyReadInterval = .milliseconds(50)
        limits.drainTimeout = .seconds(2)
        return limits
    }

    static func logger() -> Logger {
        Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })
    }

    static func configuration(
        _ service: ServiceName, bind: [String] = [], callees: [ServiceName: [String]] = [:],
        security: BusSecurity = .folderPermissions,
        limits: BusLimits = limits()
    ) throws -> BusConfiguration {
        BusConfiguration(
            service: service, bind: try bind.map { try Endpoint($0) },
            callees: try callees.mapValues { try $0.map { try Endpoint($0) } }, security: security, limits: limits)
    }

    /// Runs the buses while `body` does, then drains them.
    static func run<Result>(_ buses: [MessageBus], _ body: () async throws -> Result) async throws -> Result {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for bus in buses { group.addTask { try await bus.run() } }
            let result: Swift.Result<Result, any Error>
            do { result = .success(try await body()) } catch { result = .failure(error) }
            for bus in buses { await bus.drain() }
            try await group.waitForAll()
            return try result.get()
        }
    }

    static func context(_ timeout: Duration = .seconds(30)) -> CallContext {
        var generator = SystemRandomNumberGenerator()
        let id = RequestID(high: generator.next(), low: generator.next())
        return CallContext(requestID: id, originID: id, deadline: .now + timeout)
    }

    /// Waits for the first set of ready instances that satisfies `condition`.
    @discardableResult
    static func ready(_ bus: MessageBus, _ service: ServiceName, count: Int = 1) async -> Set<InstanceID> {
        for await instances in bus.instances(of: service) where instances.count >= count { return instances }
        return []
    }
}

/// Counts, and says when a number is reached.
final class Tally: Sendable {
    private let state = Mutex<(count: Int, waiting: [(Int, CheckedContinuation<Void, Never>)])>((0, []))

    var count: Int { state.withLock { $0.count } }

    func add() {
        let reached = state.withLock { state in
            state.count += 1
            let reached = state.waiting.filter { $0.0 <= state.count }
            state.waiting.removeAll { $0.0 <= state.count }
            return reached
        }
        for (_, continuation) in reached { continuation.resume() }
    }

    func reach(_ number: Int) async {
        await withCheckedContinuation { continuation in
            let isReached = state.withLock { state in
                if state.count >= number { return true }
                state.waiting.append((number, continuation))
                return false
            }
            if isReached { continuation.resume() }
        }
    }
}

/// Suspends until it is cancelled, as a parked handler without news does.
func untilCancelled() async throws {
    let latch = Latch()
    await withTaskCancellationHandler {
        await latch.wait()
    } onCancel: {
        latch.open()
    }
    throw CancellationError()
}

/// One policy service and its callers over ipc, with handlers that the test chooses.
struct PolicyBuses {
    let folder = TemporaryFolder()

    func worker(
        _ name: String = "policy", limits: BusLimits = Fixture.limits(),
        metrics: @escaping @Sendable (BusEvent) -> Void = { _ in }, answering fill: (inout Routes) -> Void
    ) throws -> MessageBus {
        var routes = Routes(service: .policy)
        fill(&routes)
        return try MessageBus(
            try Fixture.configuration(.policy, bind: ["ipc://\(folder.path)/\(name)"], limits: limits), routes: routes,
            logger: Fixture.logger(), metrics: metrics)
    }

    func caller(
        _ names: [String] = ["policy"], as service: ServiceName = .gateway, limits: BusLimits = Fixture.limits()
    ) throws -> MessageBus {
        try MessageBus(
            try Fixture.configuration(
                service, callees: [.policy: names.map { "ipc://\(folder.path)/\($0)" }], limits: limits),
            logger: Fixture.logger())
    }
}

func question(_ text: String) -> AuthenticateToken { AuthenticateToken.with { $0.tenant = text } }

/// Says back what was asked, and who asked.
func echo(_ routes: inout Routes) {
    routes.on(AuthenticateToken.self) { request, context in
        AuthenticateTokenReply.with {
            $0.name = request.tenant
            $0.kind = context.caller.rawValue
        }
    }
}

func failure(_ body: () async throws -> Void) async -> ServiceError? {
    do {
        try await body()
        return nil
    } catch {
        return error as? ServiceError
    }
}
