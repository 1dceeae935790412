import Domain
import Foundation
import SwiftProtobuf
import Testing
import Wire

@Suite("Everybody judged by two policies")
struct CompareModesTests {
    let fixture: Fixture
    init() throws { fixture = try Fixture() }

    private func compare(_ after: AuthenticatorPolicy, from start: String = "") async throws -> CompareModesReply {
        try await fixture.call(
            CompareModes.with {
                $0.tenant = "demo"
                $0.beforeJson = Data(AuthenticatorPolicy.initial.document.canonicalText.utf8)
                $0.afterJson = Data(after.document.canonicalText.utf8)
                $0.afterPersonID = start
            }, from: .policy)
    }

    private func counts(_ mode: ModeCount?) -> [UInt64] {
        [mode?.people ?? 0, mode?.withDevice ?? 0, mode?.withPhoneSignIn ?? 0]
    }

    @Test("people count by mode before and after, with what they have set up; another tenant's do not")
    func modes() async throws {
        let alice = try await fixture.person("alice")
        let bob = try await fixture.person("bob")
        try await fixture.person("carol")
        try await fixture.person("dora", tenant: Fixture.other)
        let group = try await fixture.call(
            CreateGroup.with { ($0.tenant, $0.name) = ("demo", "Staff") }
        ).group
        _ = try await fixture.call(
            ChangeMembers.with { ($0.tenant, $0.groupID, $0.add) = ("demo", group.id, [alice.id, bob.id]) })
        let device = try await fixture.device(alice)
        let setup = try await fixture.call(fixture.setup(device))
        _ = try await fixture.call(fixture.confirmSetup(setup.challengeID, device), from: .challenge)
        _ = try await fixture.device(bob)

        var after = AuthenticatorPolicy.initial
        after.includeTargets.insert(
            AuthenticatorPolicy.IncludeTarget(targetType: .group, id: group.id, authenticationMode: .push), at: 0)
        let reply = try await compare(after)
        #expect(reply.next.isEmpty)
        #expect(counts(reply.modes.first { $0.before == "any" && $0.after == "push" }) == [2, 2, 1])
        #expect(counts(reply.modes.first { $0.before == "any" && $0.after == "any" }) == [1, 0, 0])

        after.state = .disabled
        #expect(counts(try await compare(after).modes.first) == [3, 2, 1])
    }

    @Test("a device that is not confirmed or was removed does not count")
    func devices() async throws {
        let alice = try await fixture.person("alice")
        let device = try await fixture.device(alice)
        #expect(counts(try await compare(.initial).modes.first) == [1, 1, 0])
        _ = try await fixture.call(
            RemoveDevice.with { ($0.tenant, $0.deviceID, $0.personID) = ("demo", device.id, alice.id) })
        #expect(counts(try await compare(.initial).modes.first) == [1, 0, 0])
    }

    @Test("a large directory is judged in batches, each person once")
    func batches() async throws {
        let count = 4100
        for first in stride(from: 0, to: count, by: 500) {
            _ = try await fixture.call(
                ImportUsers.with {
                    $0.tenant = "demo"
                    $0.lines = (first..<min(first + 500, count)).map { number in
                        ImportLine.with { ($0.line, $0.username) = (UInt32(number + 1), "person\(number)") }
                    }
                })
        }
        var (people, batches, next) = (UInt64(0), 0, "")
        repeat {
            let reply = try await compare(.initial, from: next)
            people += reply.modes.reduce(0) { $0 + $1.people }
            batches += 1
            next = reply.next
        } while !next.isEmpty
        #expect(people == UInt64(count) && batches == 3)
    }

    @Test("what is no policy is refused")
    func unreadable() async throws {
        let request = CompareModes.with { ($0.tenant, $0.beforeJson, $0.afterJson) = ("demo", Data("{".utf8), Data()) }
        #expect(await fixture.refusal(request, from: .policy) == .malformed)
    }
}
