import Domain
import Messaging
import ServiceKit
import SwiftProtobuf
import Synchronization
import Testing
import Wire

@Suite struct FollowedInstanceTests {
    /// Says which instance was asked, by the reply's epoch.
    private final class Instances: ServiceCaller {
        let ready = Mutex<Set<InstanceID>>([])
        let failing = Mutex<Set<InstanceID>>([])

        func call<Request: ServiceRequest>(_ request: Request, _ context: CallContext) async throws(ServiceError)
            -> Request.Reply
        {
            throw ServiceError(.internal, "one instance is to be followed")
        }

        func call<Request: ServiceRequest>(_ request: Request, at instance: InstanceID, _ context: CallContext)
            async throws(ServiceError) -> Request.Reply
        {
            guard !failing.withLock({ $0.contains(instance) }) else { throw ServiceError(.unavailable, "gone") }
            let reply = WatchPolicyReply.with { $0.epoch = instance.rawValue }
            guard let reply = reply as? Request.Reply else { throw ServiceError(.internal, "another request") }
            return reply
        }

        func instances(of service: ServiceName) -> AsyncStream<Set<InstanceID>> {
            AsyncStream { $0.yield(ready.withLock(\.self)) }
        }
    }

    private func asked(_ followed: inout FollowedInstance) async throws -> UInt64 {
        let id = RequestID(high: 1, low: 1)
        return try await followed.call(
            WatchPolicy(), CallContext(requestID: id, originID: id, deadline: .now + .seconds(5))
        ).epoch
    }

    @Test("the same instance is asked for as long as it answers, and after a failure any that is ready")
    func follows() async throws {
        let instances = Instances()
        instances.ready.withLock { $0 = Set((1...20).map { InstanceID(rawValue: $0) }) }
        var followed = FollowedInstance(of: .policy, instances)
        let first = try await asked(&followed)
        for _ in 0..<20 { #expect(try await asked(&followed) == first) }
        let gone = InstanceID(rawValue: first)
        instances.ready.withLock { _ = $0.remove(gone) }
        instances.failing.withLock { _ = $0.insert(gone) }
        do {
            _ = try await asked(&followed)
            Issue.record("the instance is gone")
        } catch let error as ServiceError {
            #expect(error.code == .unavailable)
        }
        let second = try await asked(&followed)
        #expect(second != first)
        for _ in 0..<20 { #expect(try await asked(&followed) == second) }
    }

    @Test("without any instance the call is refused as unavailable, and the next one finds what has come")
    func nobody() async throws {
        let instances = Instances()
        var followed = FollowedInstance(of: .policy, instances)
        do {
            _ = try await asked(&followed)
            Issue.record("nobody was there to answer")
        } catch let error as ServiceError {
            #expect(error.code == .unavailable)
        }
        instances.ready.withLock { $0 = [InstanceID(rawValue: 7)] }
        #expect(try await asked(&followed) == 7)
    }
}
