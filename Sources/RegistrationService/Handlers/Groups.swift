import Domain
import Messaging
import ServiceKit
import Storage
import SwiftProtobuf
import Wire

extension RegistrationService {
    private static let membersAtOnceMax = 1000
    /// One entry of the audit log names as many people at most: with the longest names it still travels in one message.
    private static let membersPerEntry = 100

    func createGroup(_ request: CreateGroup, _ context: HandlerContext) async throws -> GroupReply {
        let tenant = TenantID(request.tenant)
        _ = try tenants.tenant(tenant)
        let name = try DirectoryInput.groupName(request.name)
        return try await change(request, context) { change in
            let group = StoredGroup(tenant: tenant, id: GroupID(Fresh.uuid()), name: name, createdAt: change.at)
            try Self.named { try change.records.insert(group) }
            try change.audit(
                request.actor, "group.create", tenant: tenant, target: group.id.rawValue, after: group.auditDocument)
            return try Self.reply(group, change.records)
        }
    }

    func readGroup(_ request: ReadGroup, _ context: HandlerContext) async throws -> GroupReply {
        let tenant = TenantID(request.tenant)
        return try await store.read { try Self.reply($0.needGroup(request.groupID, tenant: tenant), $0) }
    }

    func listGroups(_ request: ListGroups, _ context: HandlerContext) async throws -> ListGroupsReply {
        let (tenant, page) = (TenantID(request.tenant), request.page)
        let after = try page.position()
        return try await store.read { records in
            let found = try records.groups(
                tenant: tenant, search: request.search, after: after, limit: Paging.limit(of: page) + 1
            ).map { $0.record(memberCount: try records.memberCount($0.id, tenant: tenant)) }
            let (shown, next) = try page.page(
                found, key: { StoredGroup.folded($0.name) }, size: { try $0.serializedData().count })
            return ListGroupsReply.with {
                $0.groups = shown
                $0.next = next
            }
        }
    }

    func changeGroup(_ request: ChangeGroup, _ context: HandlerContext) async throws -> GroupReply {
        let tenant = TenantID(request.tenant)
        let name = try DirectoryInput.groupName(request.name)
        return try await change(request, context) { change in
            var group = try change.records.needGroup(request.groupID, tenant: tenant)
            let before = group.auditDocument
            try EntityTag.check(request.ifMatch, current: Self.reply(group, change.records).etag)
            try Self.named { try change.records.rename(group.id, to: name, tenant: tenant) }
            group.name = name
            try change.audit(
                request.actor, "group.change", tenant: tenant, target: group.id.rawValue, before: before,
                after: group.auditDocument)
            return try Self.reply(group, change.records)
        }
    }

    func deleteGroup(_ request: DeleteGroup, _ context: HandlerContext) async throws -> Wire.Empty {
        let tenant = TenantID(request.tenant)
        return try await change(request, context) { change in
            let group = try change.records.needGroup(request.groupID, tenant: tenant)
            try change.records.deleteGroup(group.id, tenant: tenant)
            try change.audit(
                request.actor, "group.delete", tenant: tenant, target: group.id.rawValue, before: group.auditDocument)
            return Wire.Empty()
        }
    }

    func changeMembers(_ request: ChangeMembers, _ context: HandlerContext) async throws -> GroupReply {
        let tenant = TenantID(request.tenant)
        guard request.add.count + request.remove.count <= Self.membersAtOnceMax else {
            throw ServiceError(.tooLarge, "at most \(Self.membersAtOnceMax) members at once")
        }
        return try await change(request, context) { change in
            let group = try change.records.needGroup(request.groupID, tenant: tenant)
            try EntityTag.check(request.ifMatch, current: Self.reply(group, change.records).etag)
            let added = Set(request.add.map { PersonID($0) })
            guard try change.records.existing(people: Array(added), tenant: tenant) == added else {
                throw ServiceError(.invalidValue, "one of the users does not exist", members: ["member": "add"])
            }
            let removed = Set(request.remove.map { PersonID($0) })
            let members = try change.records.groups(of: Array(added.union(removed)), tenant: tenant)
                .filter { $0.value.contains(group.id) }
            // Whoever is already where they shall be has no change to be told of.
            let moves = added.union(removed).sorted { $0.rawValue < $1.rawValue }
                .map { Move(person: $0, joins: !removed.contains($0)) }
                .filter { $0.joins == (members[$0.person] == nil) }
            for move in moves { try change.make(move, in: group) }
            for start in stride(from: 0, to: moves.count, by: Self.membersPerEntry) {
                try change.audit(moves[start...].prefix(Self.membersPerEntry), in: group, by: request.actor)
            }
            return try Self.reply(group, change.records)
        }
    }

    func listMembers(_ request: ListMembers, _ context: HandlerContext) async throws -> ListUsersReply {
        let (tenant, page) = (TenantID(request.tenant), request.page)
        let after = try page.position().map { FoldedUsername($0) }
        return try await store.read { records in
            let group = try records.needGroup(request.groupID, tenant: tenant)
            let found = try records.members(
                of: group.id, tenant: tenant, after: after, limit: Paging.limit(of: page) + 1)
            return try Self.reply(found, page, tenant, records)
        }
    }

    private static func named(_ body: () throws -> Void) throws {
        do {
            try body()
        } catch StorageError.alreadyExists {
            throw ServiceError(.alreadyExists, "the group's name is taken")
        }
    }

    private static func reply(_ group: StoredGroup, _ records: any RegistrationRecords) throws -> GroupReply {
        let record = group.record(memberCount: try records.memberCount(group.id, tenant: group.tenant))
        let tag = try record.entityTag()
        return GroupReply.with { ($0.group, $0.etag) = (record, tag) }
    }
}

/// A person who comes to a group, or leaves it.
private struct Move {
    let person: PersonID
    let joins: Bool
}

extension Change {
    fileprivate func make(_ move: Move, in group: StoredGroup) throws {
        if move.joins {
            try records.add(move.person, to: group.id, tenant: group.tenant)
        } else {
            try records.remove(move.person, from: group.id, tenant: group.tenant)
        }
    }

    fileprivate func audit(_ moves: some Sequence<Move>, in group: StoredGroup, by actor: Actor) throws {
        let (added, removed) = (moves.filter(\.joins).map(\.person), moves.filter { !$0.joins }.map(\.person))
        try audit(
            actor, "group.members", tenant: group.tenant, target: group.id.rawValue,
            after: [
                "name": .string(group.name),
                "added": .array(added.map { .string($0.rawValue) }),
                "addedUsernames": try usernames(added, group.tenant),
                "removed": .array(removed.map { .string($0.rawValue) }),
                "removedUsernames": try usernames(removed, group.tenant),
            ])
    }

    /// Of those that there are.
    private func usernames(_ people: [PersonID], _ tenant: TenantID) throws -> JSONValue {
        .array(try people.compactMap { try records.person($0, tenant: tenant).map { .string($0.username) } })
    }
}
