import Domain
import Logging
import Messaging
import SwiftProtobuf
import Wire

/// One caller and one worker on two buses of this process, with `outstanding` calls under way.
struct BusLoop {
    private let worker: MessageBus
    private let caller: MessageBus

    /// `folder` gets the keys of both, and may be opened by this user alone.
    init(_ security: Security, _ endpoint: Endpoint, _ folder: String) throws {
        func keys(_ service: ServiceName) throws -> BusSecurity {
            security == .none
                ? .folderPermissions : .curve(try CurveKeys.load(folder: folder + "/keys", service: service))
        }
        var routes = Routes(service: .policy)
        routes.on(AuthenticateToken.self) { request, _ in AuthenticateTokenReply.with { $0.name = request.tenant } }
        let logger = Logger(label: "messaging-bench") { _ in SwiftLogNoOpLogHandler() }
        // Both pairs before either bus starts, so that each finds the other's key.
        let (answering, asking) = (try keys(.policy), try keys(.gateway))
        worker = try MessageBus(
            BusConfiguration(service: .policy, bind: [endpoint], security: answering), routes: routes, logger: logger)
        caller = try MessageBus(
            BusConfiguration(service: .gateway, callees: [.policy: [endpoint]], security: asking), logger: logger)
    }

    func measure(_ load: Load) async throws -> Measurement {
        try await withThrowingTaskGroup(of: Void.self) { [worker, caller] group in
            group.addTask { try await worker.run() }
            group.addTask { try await caller.run() }
            let measured: Result<Measurement, any Error>
            do { measured = .success(try await ask(load)) } catch { measured = .failure(error) }
            await caller.drain()
            await worker.drain()
            try await group.waitForAll()
            return try measured.get()
        }
    }

    private func ask(_ load: Load) async throws -> Measurement {
        for await ready in caller.instances(of: .policy) where !ready.isEmpty { break }
        // Tag and length of the one field take what a body of this size needs less.
        let text = String(repeating: "x", count: load.bodyBytes - (load.bodyBytes < 130 ? 2 : 3))
        let request = AuthenticateToken.with { $0.tenant = text }
        let clock = ContinuousClock()
        let start = clock.now
        let end = start + load.duration
        let times = try await withThrowingTaskGroup(of: [Duration].self) { [caller] group in
            for _ in 0..<load.outstanding {
                group.addTask {
                    var generator = SystemRandomNumberGenerator()
                    var times: [Duration] = []
                    var sent = clock.now
                    repeat {
                        let id = RequestID(high: generator.next(), low: generator.next())
                        let context = CallContext(requestID: id, originID: id, deadline: sent + .seconds(10))
                        let reply = try await caller.call(request, context)
                        guard reply.name == text else { throw LoopError.otherReply }
                        let now = clock.now
                        times.append(now - sent)
                        sent = now
                    } while sent < end
                    return times
                }
            }
            return try await group.reduce(into: []) { $0 += $1 }
        }
        return Measurement(times, over: clock.now - start)
    }
}

/// Why a loop could not be measured.
enum LoopError: Error, CustomStringConvertible {
    /// A reply that is not the body that was sent.
    case otherReply
    /// libzmq refused a step, with its reason.
    case libzmq(String, reason: String)

    var description: String {
        switch self {
        case .otherReply: "a reply was not what had been sent"
        case .libzmq(let step, let reason): "libzmq: \(step): \(reason)"
        }
    }
}
