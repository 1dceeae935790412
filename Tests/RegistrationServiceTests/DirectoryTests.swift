import Domain
import Foundation
import SwiftProtobuf
import TestSupport
import Testing
import Wire

@Suite("The directory")
struct DirectoryTests {
    let fixture: Fixture
    init() throws { fixture = try Fixture() }

    @Test("user names are unique by case, 1 to 256 characters")
    func names() async throws {
        try await fixture.person("Alice")
        #expect(
            await fixture.refusal(
                CreateUser.with {
                    $0.tenant = "demo"
                    $0.username = "ALICE"
                }) == .alreadyExists)
        for name in ["", String(repeating: "a", count: 257), "a\u{0}b"] {
            #expect(
                await fixture.refusal(
                    CreateUser.with {
                        $0.tenant = "demo"
                        $0.username = name
                    }) == .invalidUsername)
        }
        try await fixture.person(String(repeating: "a", count: 256))
    }

    @Test("users are listed in pages and found by the beginning of either name")
    func list() async throws {
        for index in 0..<5 { try await fixture.person("user\(index)") }
        _ = try await fixture.call(
            CreateUser.with {
                $0.tenant = "demo"
                $0.username = "zoe"
                $0.displayName = "Userine"
            })
        var found: [String] = []
        var query = ListUsers.with {
            $0.tenant = "demo"
            $0.page.limit = 2
            $0.search = "USER"
        }
        repeat {
            let page = try await fixture.call(query)
            found += page.people.map(\.username)
            query.page.cursor = page.next
        } while !query.page.cursor.isEmpty
        #expect(found == ["user0", "user1", "user2", "user3", "user4", "zoe"])
    }

    @Test("people and groups are named by their ids, with those that are gone")
    func targetNames() async throws {
        let alice = try await fixture.call(
            CreateUser.with { ($0.tenant, $0.username, $0.displayName) = ("demo", "alice", "Alice Example") }
        ).person
        let staff = try await fixture.call(CreateGroup.with { ($0.tenant, $0.name) = ("demo", "Staff") }).group
        var request = CheckTargets.with {
            ($0.tenant, $0.personIds, $0.groupIds) = ("demo", [alice.id, "gone"], [staff.id, "gone"])
        }
        let bare = try await fixture.call(request, from: .policy)
        #expect(bare.personNames.isEmpty && bare.groupNames.isEmpty)
        request.withNames = true
        let reply = try await fixture.call(request)
        #expect(reply.personNames == [alice.id: "Alice Example"] && reply.groupNames == [staff.id: "Staff"])
        #expect(reply.unknownPersonIds == ["gone"] && reply.unknownGroupIds == ["gone"])
    }

    @Test("of two changes that start from the same document one wins, whichever instances they go through")
    func precondition() async throws {
        let person = try await fixture.person("alice").id
        let tag = try await fixture.call(ReadUser.with { ($0.tenant, $0.personID) = ("demo", person) }).etag
        func rename(_ name: String, _ tag: String) -> ChangeUser {
            .with { ($0.tenant, $0.personID, $0.displayName, $0.ifMatch) = ("demo", person, name, tag) }
        }
        let changed = try await fixture.call(rename("Alice L.", tag))
        #expect(changed.etag != tag)
        #expect(await fixture.refusal(rename("Liddell", tag)) == .preconditionFailed)
        #expect(try await fixture.call(rename("Liddell", "\"x\", " + changed.etag)).person.displayName == "Liddell")
        _ = try await fixture.call(rename("Alice", "*"))
        _ = try await fixture.call(rename("Alice", ""))

        let group = try await fixture.call(CreateGroup.with { ($0.tenant, $0.name) = ("demo", "Staff") })
        func rename(group name: String, _ tag: String) -> ChangeGroup {
            .with { ($0.tenant, $0.groupID, $0.name, $0.ifMatch) = ("demo", group.group.id, name, tag) }
        }
        _ = try await fixture.call(rename(group: "Crew", group.etag))
        #expect(await fixture.refusal(rename(group: "Team", group.etag)) == .preconditionFailed)
    }

    @Test("a deleted user leaves no device, session or request behind")
    func delete() async throws {
        let alice = try await fixture.person("alice")
        let token = try await fixture.call(fixture.login("alice")).sessionToken
        let device = try await fixture.device(alice)
        _ = try await fixture.call(
            DeleteUser.with {
                $0.tenant = "demo"
                $0.personID = alice.id
            })
        #expect(try await !fixture.read(device).found)
        await #expect(throws: ServiceError.self) { try await fixture.session(token) }
        #expect(fixture.challenge.canceled.map(\.personID) == [alice.id])
        #expect(
            try await !fixture.call(
                ResolvePerson.with {
                    $0.tenant = "demo"
                    $0.username = "alice"
                }, from: .challenge
            ).found)
    }

    @Test("no tenant sees another's people, devices or groups")
    func tenants() async throws {
        let alice = try await fixture.person("alice")
        let device = try await fixture.device(alice)
        let group = try await fixture.call(
            CreateGroup.with {
                $0.tenant = "demo"
                $0.name = "Staff"
            }
        ).group
        let other = Fixture.other.rawValue
        #expect(
            await fixture.refusal(
                ReadUser.with {
                    $0.tenant = other
                    $0.personID = alice.id
                }) == .notFound)
        #expect(
            await fixture.refusal(
                ReadGroup.with {
                    $0.tenant = other
                    $0.groupID = group.id
                }) == .notFound)
        #expect(
            await fixture.refusal(
                RemoveDevice.with {
                    $0.tenant = other
                    $0.deviceID = device.id
                }) == .notFound)
        #expect(
            try await !fixture.call(
                ReadDevice.with {
                    $0.tenant = other
                    $0.deviceID = device.id
                }
            ).found)
        #expect(await fixture.refusal(fixture.login("alice", tenant: Fixture.other)) == .invalidCredentials)
        #expect(try await fixture.call(ListUsers.with { $0.tenant = other }).people.isEmpty)
        let targets = CheckTargets.with {
            $0.tenant = other
            $0.personIds = [alice.id]
            $0.groupIds = [group.id]
        }
        let unknown = try await fixture.call(targets, from: .policy)
        #expect(unknown.unknownPersonIds == [alice.id])
        #expect(unknown.unknownGroupIds == [group.id])
    }

    @Test("every change is in the audit log, newest first, without secrets")
    func audit() async throws {
        let alice = try await fixture.person("alice", password: "hunter2-hunter2")
        let pass = try await fixture.issue(alice).pass
        let entries = try await fixture.call(ListDirectoryAudit.with { $0.tenant = "demo" }).entries
        #expect(entries.map(\.action) == ["pass.issue", "user.create"])
        let text = entries.map { $0.beforeJson + $0.afterJson }.joined()
        #expect(!text.contains(pass) && !text.contains("hunter2") && !text.contains("scrypt"))
    }

    @Test("an entry has the names of whom and what it concerns, not the ids alone")
    func auditNames() async throws {
        let alice = try await fixture.person("alice")
        let device = try await fixture.device(alice)
        let group = try await fixture.call(CreateGroup.with { ($0.tenant, $0.name) = ("demo", "Staff") }).group
        for (add, remove) in [([alice.id], [String]()), ([], [alice.id])] {
            _ = try await fixture.call(
                ChangeMembers.with {
                    ($0.tenant, $0.groupID, $0.add, $0.remove) = ("demo", group.id, add, remove)
                })
        }
        _ = try await fixture.call(
            ChangeUser.with {
                ($0.tenant, $0.personID, $0.changeGroups, $0.groups) = ("demo", alice.id, true, [group.id])
            })
        _ = try await fixture.call(
            SetBlocked.with { ($0.tenant, $0.personID, $0.blocked) = ("demo", alice.id, true) })
        _ = try await fixture.call(RemoveDevice.with { ($0.tenant, $0.deviceID) = ("demo", device.id) })
        let entries = try await fixture.call(ListDirectoryAudit.with { $0.tenant = "demo" }).entries
        func after(_ action: String) throws -> [JSONValue] {
            try entries.filter { $0.action == action }.map { try JSONValue(parsing: $0.afterJson) }
        }
        func before(_ action: String) throws -> [JSONValue] {
            try entries.filter { $0.action == action }.map { try JSONValue(parsing: $0.beforeJson) }
        }
        #expect(try before("user.block") == [["username": "alice", "blocked": false]])
        #expect(try after("user.block") == [["username": "alice", "blocked": true]])
        for document in try after("device.activate") + before("device.remove") {
            #expect(document["username"] == "alice" && document["name"] == "Phone")
        }
        let members = try after("group.members")
        #expect(members.map { $0["name"] } == ["Staff", "Staff"])
        #expect(members.map { $0["addedUsernames"] } == [[], ["alice"]])
        #expect(members.map { $0["removedUsernames"] } == [["alice"], []])
        #expect(try after("user.change").map { $0["groupNames"] } == [["Staff"]])
        #expect(try before("user.change").map { $0["groupNames"] } == [[]])
    }

    @Test("members who change nothing have no entry, and a long list has entries that each fit into a message")
    func membersAudit() async throws {
        let group = try await fixture.call(CreateGroup.with { ($0.tenant, $0.name) = ("demo", "Staff") }).group
        var ids: [String] = []
        for number in 0..<150 {
            ids.append(try await fixture.person(String(repeating: "字", count: 250) + "\(number)").id)
        }
        func change(add: [String], remove: [String] = []) async throws -> UInt32 {
            try await fixture.call(
                ChangeMembers.with {
                    ($0.tenant, $0.groupID, $0.add, $0.remove) = ("demo", group.id, add, remove)
                }
            ).group.memberCount
        }
        let stale = ChangeMembers.with {
            ($0.tenant, $0.groupID, $0.add, $0.ifMatch) = ("demo", group.id, ids, #""stale""#)
        }
        #expect(await fixture.refusal(stale) == .preconditionFailed)
        #expect(try await change(add: ids + ids.prefix(3)) == 150)
        #expect(try await change(add: ids) == 150)
        #expect(try await change(add: [ids[0]], remove: [ids[0], "nobody"]) == 149)
        let entries = try await fixture.call(
            ListDirectoryAudit.with {
                $0.tenant = "demo"
                $0.page.limit = 10
            }
        ).entries.filter { $0.action == "group.members" }
        let documents = try entries.map { try JSONValue(parsing: $0.afterJson) }
        #expect(documents.map { $0["added"]?.elements?.count } == [0, 50, 100])
        #expect(documents.map { $0["removed"]?.elements?.count } == [1, 0, 0])
        #expect(entries.allSatisfy { $0.afterJson.utf8.count < 131_072 })
    }

    @Test("the audit log is filtered by who, what, whom and when")
    func auditFilters() async throws {
        let admin = Wire.Actor.with { ($0.kind, $0.id, $0.name) = ("person", "p9", "Root") }
        let alice = try await fixture.person("alice")
        fixture.clock.advance(.seconds(60))
        for blocked in [true, false] {
            _ = try await fixture.call(
                SetBlocked.with {
                    ($0.tenant, $0.personID, $0.blocked, $0.actor) = ("demo", alice.id, blocked, admin)
                })
        }
        func actions(_ change: (inout AuditFilter) -> Void) async throws -> [String] {
            var request = ListDirectoryAudit.with { $0.tenant = "demo" }
            change(&request.filter)
            return try await fixture.call(request).entries.map(\.action)
        }
        let moment = fixture.clock.now.milliseconds
        #expect(try await actions { $0.actor = "root" } == ["user.unblock", "user.block"])
        #expect(try await actions { $0.actor = "P9" } == ["user.unblock", "user.block"])
        #expect(try await actions { $0.action = "user.block" } == ["user.block"])
        #expect(try await actions { $0.action = "user" }.count == 3)
        #expect(try await actions { $0.action = "use" }.isEmpty)
        #expect(try await actions { $0.target = alice.id }.count == 3)
        #expect(try await actions { $0.fromMs = moment } == ["user.unblock", "user.block"])
        #expect(try await actions { $0.toMs = moment } == ["user.create"])
    }
}
