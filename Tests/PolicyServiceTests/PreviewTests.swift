import Domain
import Foundation
import Messaging
import SwiftProtobuf
import Synchronization
import TestSupport
import Testing
import Wire

@Suite("What a change of policy would mean")
struct PreviewTests {
    /// A directory of two batches, which remembers what it was asked.
    private static func directory(_ asked: AskedModes) -> Routes {
        var directory = Routes(service: .registration)
        directory.on(CheckTargets.self) { request, _ in
            .with { $0.unknownGroupIds = request.groupIds.filter { $0 != "g1" } }
        }
        directory.on(CompareModes.self) { request, _ in
            asked.requests.withLock { $0.append(request) }
            return .with {
                $0.modes = [.with { ($0.before, $0.people, $0.withDevice, $0.withPhoneSignIn) = ("any", 3, 2, 1) }]
                $0.next = request.afterPersonID.isEmpty ? "p2000" : ""
            }
        }
        return directory
    }

    private final class AskedModes: Sendable { let requests = Mutex<[CompareModes]>([]) }

    private func preview(_ patch: String, _ bench: PolicyBench) async throws -> PreviewPolicyReply {
        try await bench.call(
            PreviewPolicy.with {
                $0.tenant = "demo"
                $0.mergePatch = Data(patch.utf8)
            })
    }

    @Test("every batch is judged by the document as it is and as it would be, and nothing is stored")
    func batches() async throws {
        let bench = try await PolicyBench()
        let asked = AskedModes()
        bench.bus.add(Self.directory(asked))
        try await bench.createTenant()
        let current = try await bench.policy()
        let reply = try await preview(#"{"state":"disabled"}"#, bench)
        #expect(reply.etag == current.etag)
        #expect(reply.modes.count == 1)
        let mode = try #require(reply.modes.first)
        #expect(mode.before == "any" && mode.after.isEmpty)
        #expect(mode.people == 6 && mode.withDevice == 4 && mode.withPhoneSignIn == 2)
        let requests = asked.requests.withLock { $0 }
        #expect(requests.map(\.afterPersonID) == ["", "p2000"])
        for request in requests {
            #expect(try JSONValue(parsing: Array(request.beforeJson))["state"] == "enabled")
            #expect(try JSONValue(parsing: Array(request.afterJson))["state"] == "disabled")
        }
        #expect(try await bench.policy() == current)
    }

    @Test("what a change would be refused for, a preview is refused for, before anybody is judged")
    func refusals() async throws {
        let bench = try await PolicyBench()
        let asked = AskedModes()
        bench.bus.add(Self.directory(asked))
        try await bench.createTenant()
        let unknown = #"{"excludeTargets":[{"targetType":"group","id":"g2"}]}"#
        #expect(await refusal { try await preview(unknown, bench) }?.code == .unknownTarget)
        #expect(await refusal { try await preview(#"{"state":"maybe"}"#, bench) }?.code == .invalidValue)
        #expect(await refusal { try await preview(#"{"colour":1}"#, bench) }?.code == .unknownMember)
        #expect(asked.requests.withLock { $0.isEmpty })
    }
}
