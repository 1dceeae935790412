import Domain
import Messaging
import ServiceKit
import Storage
import SwiftProtobuf
import Wire

extension RegistrationService {
    private static let membersAtOnceMax = 1000

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
            let added = Set(request.add.map { PersonID($0) })
            guard try change.records.existing(people: Array(added), tenant: tenant) == added else {
                throw ServiceError(.invalidValue, "one of the users does not exist", members: ["member": "add"])
            }
            for person in added { try change.records.add(person, to: group.id, tenant: tenant) }
            for person in request.remove { try change.records.remove(PersonID(person), from: group.id, tenant: tenant) }
            try change.audit(
                request.actor, "group.members", tenant: tenant, target: group.id.rawValue,
                after: [
                    "name": .string(group.name),
                    "added": .array(request.add.map(JSONValue.string)),
                    "addedUsernames": try change.records.usernames(request.add, tenant: tenant),
                    "removed": .array(request.remove.map(JSONValue.string)),
                    "removedUsernames": try change.records.usernames(request.remove, tenant: tenant),
                ])
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

extension RegistrationRecords {
    /// Of those that there are.
    fileprivate func usernames(_ people: [String], tenant: TenantID) throws -> JSONValue {
        .array(try people.compactMap { try person(PersonID($0), tenant: tenant).map { .string($0.username) } })
    }
}
