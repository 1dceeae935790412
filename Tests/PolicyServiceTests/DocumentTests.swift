import Domain
import Foundation
import Messaging
import PolicyService
import SwiftProtobuf
import Synchronization
import TestSupport
import Testing
import Wire

@Suite("Documents of a tenant")
struct DocumentTests {
    @Test("a change is there at the next read, with another ETag, and leaves what it does not name")
    func change() async throws {
        let bench = try await PolicyBench()
        try await bench.createTenant()
        let first = try await bench.policy()
        let changed = try await bench.changePolicy(#"{"isSoftwareOathEnabled":false}"#, ifMatch: first.etag)
        #expect(changed.etag != first.etag)
        #expect(try await bench.policy() == changed)
        #expect(try changed.document == first.document.merging(["isSoftwareOathEnabled": false]))
        #expect(try changed.document["id"] == "MicrosoftAuthenticator")
    }

    @Test("without If-Match a change is refused, with a stale one too, and nothing is changed")
    func preconditions() async throws {
        let bench = try await PolicyBench()
        try await bench.createTenant()
        let first = try await bench.settings()
        #expect(
            await refusal { try await bench.changeSettings(#"{"numberDigits":3}"#, ifMatch: "") }?.code
                == .preconditionRequired)
        #expect(
            await refusal { try await bench.changeSettings(#"{"numberDigits":3}"#, ifMatch: "\"x\"") }?.code
                == .preconditionFailed)
        #expect(
            await refusal { try await bench.changeSettings(#"{"numberDigits":3}"#, ifMatch: "W/" + first.etag) }?.code
                == .preconditionFailed)
        #expect(try await bench.settings() == first)
        let second = try await bench.changeSettings(#"{"numberDigits":3}"#, ifMatch: "\"x\", " + first.etag)
        let third = try await bench.changeSettings(#"{"numberDigits":4}"#, ifMatch: "*")
        #expect(second.etag != third.etag)
    }

    @Test("of two changes with the same If-Match one wins, in each of 200 rounds")
    func races() async throws {
        let bench = try await PolicyBench()
        try await bench.createTenant()
        var current = try await bench.settings()
        for round in 0..<200 {
            let etag = current.etag
            let outcomes = await withTaskGroup(of: ServiceError?.self) { group in
                for racer in 0..<2 {
                    // Never the values of the round before, so that each of them is a change.
                    let (minutes, budget) = (1 + (round * 2 + racer) % 100, 1 + (round + racer) % 50)
                    group.addTask {
                        await refusal {
                            try await bench.changeSettings(
                                #"{"silenceMinutes":\#(minutes),"requestBudget":\#(budget)}"#, ifMatch: etag)
                        }
                    }
                }
                return await group.reduce(into: [ServiceError?]()) { $0.append($1) }
            }
            #expect(outcomes.filter { $0 == nil }.count == 1, "round \(round)")
            #expect(outcomes.compactMap(\.?.code) == [.preconditionFailed], "round \(round)")
            current = try await bench.settings()
        }
        #expect(try await changesInAudit(bench) == 200)
    }

    /// Page by page: a page ends early where it would not fit into one message.
    private func changesInAudit(_ bench: PolicyBench) async throws -> Int {
        var (count, cursor) = (0, "")
        repeat {
            let request = ListPolicyAudit.with {
                $0.tenant = "demo"
                $0.page.limit = 1000
                $0.page.cursor = cursor
            }
            let page = try await bench.call(request)
            count += page.entries.filter { $0.action == "settings.change" }.count
            cursor = page.next
        } while !cursor.isEmpty
        return count
    }

    @Test("a refusal names the member: unknown, out of range, of a wrong kind, a target that does not exist")
    func refusals() async throws {
        let bench = try await PolicyBench()
        try await bench.createTenant()
        let (policy, settings) = (try await bench.policy().etag, try await bench.settings().etag)

        let range = await refusal { try await bench.changeSettings(#"{"numberDigits":7}"#, ifMatch: settings) }
        #expect(range?.code == .outOfRange)
        #expect(range?.members == ["member": "numberDigits", "range": "2-6"])
        #expect(range?.detail == "numberDigits must be a whole number from 2 to 6")

        let unknown = await refusal { try await bench.changeSettings(#"{"numberOfDigits":null}"#, ifMatch: settings) }
        #expect(unknown?.code == .unknownMember)
        #expect(unknown?.members["member"] == "numberOfDigits")

        let value = await refusal { try await bench.changePolicy(#"{"state":"on"}"#, ifMatch: policy) }
        #expect(value?.code == .invalidValue)
        #expect(value?.members == ["member": "state", "allowed": "enabled, disabled"])

        let target = await refusal {
            try await bench.changePolicy(
                #"{"excludeTargets":[{"targetType":"user","id":"p1"},{"targetType":"group","id":"g9"}]}"#,
                ifMatch: policy)
        }
        #expect(target?.code == .unknownTarget)
        #expect(target?.members == ["member": "excludeTargets[1]", "target": "g9"])

        #expect(await refusal { try await bench.changePolicy("{", ifMatch: policy) }?.code == .malformed)
        #expect(await refusal { try await bench.changePolicy("[]", ifMatch: policy) }?.code == .malformed)
        #expect(
            await refusal { try await bench.changePolicy(#"{"state":"enabled","state":"disabled"}"#, ifMatch: policy) }?
                .code == .malformed)
        let large = #"{"a":"\#(String(repeating: "x", count: 70_000))"}"#
        #expect(await refusal { try await bench.changePolicy(large, ifMatch: policy) }?.code == .tooLarge)
        #expect(try await bench.policy().etag == policy)
    }

    @Test("the directory is asked only about targets that are added, so switching off works without it")
    func withoutDirectory() async throws {
        let bench = try await PolicyBench()
        try await bench.createTenant()
        let targets = #"{"includeTargets":[{"targetType":"user","id":"p1"},{"targetType":"group","id":"g1"}]}"#
        let added = try await bench.changePolicy(targets, ifMatch: try await bench.policy().etag)
        #expect(bench.checks.withLock { $0 } == 1)

        bench.bus.remove(.registration)
        let more = #"{"excludeTargets":[{"targetType":"user","id":"p2"}]}"#
        #expect(await refusal { try await bench.changePolicy(more, ifMatch: added.etag) }?.code == .unavailable)
        let off = try await bench.changePolicy(#"{"state":"disabled"}"#, ifMatch: added.etag)
        #expect(try off.document["state"] == "disabled")
    }

    @Test("a repeat of a change gets the first reply, also after the ETag has moved on")
    func repeated() async throws {
        let bench = try await PolicyBench()
        try await bench.createTenant()
        let etag = try await bench.policy().etag
        let id = RequestID.make(at: bench.time.withLock { $0 })
        let first = try await bench.changePolicy(#"{"state":"disabled"}"#, ifMatch: etag, id: id)
        _ = try await bench.changePolicy(#"{"state":"enabled"}"#, ifMatch: first.etag)
        #expect(try await bench.changePolicy(#"{"state":"disabled"}"#, ifMatch: etag, id: id) == first)
        #expect(try await bench.policy().document["state"] == "enabled")
    }

    @Test("a change that changes nothing is no entry in the audit log and wakes nobody")
    func nothing() async throws {
        let bench = try await PolicyBench()
        try await bench.createTenant()
        let (before, followed) = (try await bench.policy(), try await bench.watch())
        #expect(try await bench.changePolicy(#"{"state":"enabled"}"#, ifMatch: before.etag) == before)
        #expect(try await bench.watch(followed).changed.isEmpty)
        let audit = try await bench.call(ListPolicyAudit.with { $0.tenant = "demo" })
        #expect(audit.entries.map(\.action) == ["tenant.create"])
    }

    @Test("the audit log says who, what, before and after, newest first, page by page")
    func audit() async throws {
        let bench = try await PolicyBench()
        try await bench.createTenant()
        try await bench.createTenant("other")
        let before = try await bench.policy()
        let after = try await bench.changePolicy(#"{"state":"disabled"}"#, ifMatch: before.etag)
        let client = try await bench.createClient()

        var entries: [AuditEntry] = []
        var cursor = ""
        repeat {
            let page = try await bench.call(
                ListPolicyAudit.with {
                    $0.tenant = "demo"
                    $0.page.limit = 2
                    $0.page.cursor = cursor
                })
            #expect(page.entries.count <= 2)
            entries += page.entries
            cursor = page.next
        } while !cursor.isEmpty
        #expect(entries.map(\.action) == ["client.create", "policy.change", "tenant.create"])
        #expect(entries.allSatisfy { $0.actor == PolicyBench.administrator && !$0.requestID.isEmpty })
        #expect(entries[1].target == "policies/authenticator")
        #expect(Data(entries[1].beforeJson.utf8) == before.json)
        #expect(Data(entries[1].afterJson.utf8) == after.json)
        #expect(entries.allSatisfy { !"\($0)".contains(client.secret) })
    }

    @Test("a tenant that does not exist has no documents")
    func noTenant() async throws {
        let bench = try await PolicyBench()
        #expect(await refusal { try await bench.policy("nowhere") }?.code == .notFound)
        #expect(await refusal { try await bench.changeSettings("{}", ifMatch: "*", "nowhere") }?.code == .notFound)
        #expect(await refusal { try await bench.createClient("nowhere") }?.code == .notFound)
    }
}
