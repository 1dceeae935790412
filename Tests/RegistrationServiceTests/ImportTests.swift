import Domain
import Foundation
import SwiftProtobuf
import TestSupport
import Testing
import Wire

@Suite("Imports of people")
struct ImportTests {
    let fixture: Fixture
    init() throws { fixture = try Fixture() }

    @Test("an import creates, updates, makes groups and reports a bad line by its number")
    func importing() async throws {
        try await fixture.person("bob")
        func line(_ number: UInt32, _ name: String, groups: [String] = [], roles: [String] = []) -> ImportLine {
            ImportLine.with {
                $0.line = number
                $0.username = name
                $0.password = Data("a longer secret".utf8)
                $0.groups = groups
                $0.roles = roles
            }
        }
        let reply = try await fixture.call(
            ImportUsers.with {
                $0.tenant = "demo"
                $0.lines = [
                    line(1, "ann", groups: ["Staff"]), line(2, ""), line(3, "BOB", groups: ["staff"]),
                    line(4, "eve", roles: ["king"]),
                ]
            })
        #expect(reply.created == 1)
        #expect(reply.updated == 1)
        #expect(reply.problems.map(\.line) == [2, 4])
        #expect(reply.problems.map(\.code) == ["invalid_username", "invalid_value"])
        #expect(reply.problems.last?.members["reason"] == "role")
        let groups = try await fixture.call(ListGroups.with { $0.tenant = "demo" }).groups
        #expect(groups.map(\.name) == ["Staff"])
        #expect(groups.map(\.memberCount) == [2])
        #expect(await fixture.refusal(fixture.login("bob", "a longer secret")) == nil)
    }

    @Test("a line that says what is so already changes nothing: no entry, and the sessions of that password stay")
    func importedAgain() async throws {
        func file(_ change: (inout ImportLine) -> Void = { _ in }) -> ImportUsers {
            var line = ImportLine.with {
                ($0.line, $0.username, $0.displayName) = (1, "ann", "Ann")
                ($0.password, $0.groups, $0.roles) = (Data("a longer secret".utf8), ["Staff"], ["administrator"])
            }
            change(&line)
            return .with { ($0.tenant, $0.lines) = ("demo", [line]) }
        }
        func counts(_ file: ImportUsers) async throws -> [UInt32] {
            let reply = try await fixture.call(file)
            #expect(reply.problems.isEmpty)
            return [reply.created, reply.updated, reply.unchanged]
        }
        #expect(try await counts(file()) == [1, 0, 0])
        let token = try await fixture.call(fixture.login("ann", "a longer secret")).sessionToken
        let entries = try await fixture.call(ListDirectoryAudit.with { $0.tenant = "demo" }).entries.count
        #expect(try await counts(file()) == [0, 0, 1])
        #expect(
            try await counts(file { ($0.displayName, $0.password, $0.groups, $0.roles) = ("", Data(), [], []) }) == [
                0, 0, 1,
            ])
        #expect(try await fixture.call(ListDirectoryAudit.with { $0.tenant = "demo" }).entries.count == entries)
        _ = try await fixture.session(token)
        #expect(try await counts(file { $0.displayName = "Anna" }) == [0, 1, 0])
        #expect(try await counts(file { ($0.displayName, $0.groups) = ("", ["staff", "Night"]) }) == [0, 1, 0])
        _ = try await fixture.session(token)
        #expect(
            try await counts(file { ($0.displayName, $0.password) = ("", Data("another secret".utf8)) }) == [0, 1, 0])
        await #expect(throws: ServiceError.self) { try await fixture.session(token) }
    }

    @Test("a bad line's fault has a word of its own, with what it speaks of")
    func importFaults() async throws {
        let bad: [(ImportLine, [String: String])] = [
            (.with { $0.password = Data("short".utf8) }, ["reason": "password_too_short", "min": "8"]),
            (
                .with { $0.password = Data(repeating: 0x61, count: 1025) },
                ["reason": "password_too_long", "max": "1024"]
            ),
            (.with { $0.groups = [""] }, ["member": "name", "reason": "group_name", "max": "256"]),
            (.with { $0.displayName = "\u{7}" }, ["member": "displayName", "reason": "display_name", "max": "256"]),
        ]
        let lines = bad.enumerated().map { index, pair in
            var line = pair.0
            (line.line, line.username) = (UInt32(index + 1), "user\(index)")
            return line
        }
        let reply = try await fixture.call(ImportUsers.with { ($0.tenant, $0.lines) = ("demo", lines) })
        #expect(reply.created == 0)
        #expect(reply.problems.map(\.members) == bad.map(\.1))
    }
}
