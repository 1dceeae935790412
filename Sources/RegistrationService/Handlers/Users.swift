import Domain
import Messaging
import ServiceKit
import Storage
import SwiftProtobuf
import Wire

extension RegistrationService {
    func createUser(_ request: CreateUser, _ context: HandlerContext) async throws -> UserReply {
        let tenant = TenantID(request.tenant)
        _ = try tenants.tenant(tenant)
        let username = try DirectoryInput.username(request.username)
        let displayName = try DirectoryInput.displayName(request.displayName, of: username)
        let roles = try DirectoryInput.roles(request.roles)
        if let reply = try await once.replay(request, context) { return reply }
        let passwordHash = request.password.isEmpty ? nil : try await hash(Array(request.password))
        return try await change(request, context) { change in
            let person = StoredPerson(
                tenant: tenant, id: PersonID(Fresh.uuid()), username: username, displayName: displayName,
                passwordHash: passwordHash,
                roles: roles, createdAt: change.at)
            do {
                try change.records.insert(person)
            } catch StorageError.alreadyExists {
                throw ServiceError(.alreadyExists, "the user name is taken")
            }
            let groups = try DirectoryInput.groups(request.groups, tenant: tenant, change.records)
            for group in groups { try change.records.add(person.id, to: group, tenant: tenant) }
            try change.audit(
                request.actor, "user.create", tenant: tenant, target: person.id.rawValue,
                after: change.records.auditDocument(person))
            return try Self.reply(person, change.records)
        }
    }

    func readUser(_ request: ReadUser, _ context: HandlerContext) async throws -> UserReply {
        let tenant = TenantID(request.tenant)
        return try await store.read { try Self.reply($0.needPerson(request.personID, tenant: tenant), $0) }
    }

    func listUsers(_ request: ListUsers, _ context: HandlerContext) async throws -> ListUsersReply {
        let (tenant, page) = (TenantID(request.tenant), request.page)
        let after = try page.position().map { FoldedUsername($0) }
        return try await store.read { records in
            let found = try records.people(
                tenant: tenant, search: request.search, after: after, limit: Paging.limit(of: page) + 1)
            return try Self.reply(found, page, tenant, records)
        }
    }

    static func reply(
        _ found: [StoredPerson], _ page: PageQuery, _ tenant: TenantID, _ records: any RegistrationRecords
    ) throws -> ListUsersReply {
        let (shown, next) = try page.page(
            try records.records(found, tenant: tenant), key: { FoldedUsername($0.username).rawValue },
            size: { try $0.serializedData().count })
        return ListUsersReply.with {
            $0.people = shown
            $0.next = next
        }
    }

    func changeUser(_ request: ChangeUser, _ context: HandlerContext) async throws -> UserReply {
        let tenant = TenantID(request.tenant)
        let roles = try request.changeRoles ? DirectoryInput.roles(request.roles) : nil
        if let reply = try await once.replay(request, context) { return reply }
        let passwordHash =
            request.hasPassword && !request.password.isEmpty ? try await hash(Array(request.password)) : nil
        return try await change(request, context) { change in
            var person = try change.records.needPerson(request.personID, tenant: tenant)
            let before = try change.records.auditDocument(person)
            try EntityTag.check(request.ifMatch, current: change.records.record(person).entityTag())
            if request.hasDisplayName {
                person.displayName = try DirectoryInput.displayName(request.displayName, of: person.username)
            }
            if request.hasPassword {
                person.passwordHash = passwordHash
                try Self.passwordChanged(person, request.actor, change)
            }
            person.roles = roles ?? person.roles
            try change.records.update(person)
            if request.changeGroups { try Self.setGroups(request.groups, of: person, change.records) }
            try change.audit(
                request.actor, "user.change", tenant: tenant, target: person.id.rawValue, before: before,
                after: change.records.auditDocument(person))
            change.tell(tenant: tenant, device: nil, person: person.id, mayListen: !person.isBlocked)
            return try Self.reply(person, change.records)
        }
    }

    private static func setGroups(_ ids: [String], of person: StoredPerson, _ records: any RegistrationRecords) throws {
        let wanted = Set(try DirectoryInput.groups(ids, tenant: person.tenant, records))
        let present = Set(try records.groups(of: person.id, tenant: person.tenant))
        for group in present.subtracting(wanted) { try records.remove(person.id, from: group, tenant: person.tenant) }
        for group in wanted.subtracting(present) { try records.add(person.id, to: group, tenant: person.tenant) }
    }

    func deleteUser(_ request: DeleteUser, _ context: HandlerContext) async throws -> Wire.Empty {
        let tenant = TenantID(request.tenant)
        return try await change(request, context) { change in
            let person = try change.records.needPerson(request.personID, tenant: tenant)
            let before = try change.records.auditDocument(person)
            for device in try change.records.devices(of: person.id, tenant: tenant) {
                try Self.remove(device, request.actor, change)
            }
            try change.records.deletePerson(person.id, tenant: tenant)
            try change.cancelRequests(.personRemoved, tenant: tenant, person: person.id)
            try change.audit(
                request.actor, "user.delete", tenant: tenant, target: person.id.rawValue,
                before: before)
            change.tell(tenant: tenant, device: nil, person: person.id, mayListen: false)
            return Wire.Empty()
        }
    }

    func setBlocked(_ request: SetBlocked, _ context: HandlerContext) async throws -> UserReply {
        let tenant = TenantID(request.tenant)
        return try await change(request, context) { change in
            var person = try change.records.needPerson(request.personID, tenant: tenant)
            guard person.isBlocked != request.blocked else { return try Self.reply(person, change.records) }
            person.isBlocked = request.blocked
            try change.records.update(person)
            if request.blocked {
                try change.records.deleteSessions(of: person.id, tenant: tenant, except: [])
                try change.cancelRequests(.blocked, tenant: tenant, person: person.id)
            }
            try change.audit(
                request.actor, request.blocked ? "user.block" : "user.unblock", tenant: tenant,
                target: person.id.rawValue,
                before: ["username": .string(person.username), "blocked": .bool(!request.blocked)],
                after: ["username": .string(person.username), "blocked": .bool(request.blocked)])
            change.tell(tenant: tenant, device: nil, person: person.id, mayListen: !request.blocked)
            for device in try change.records.devices(of: person.id, tenant: tenant) {
                change.tell(tenant: tenant, device: device.id, person: person.id, mayListen: !request.blocked)
            }
            return try Self.reply(person, change.records)
        }
    }

    static func reply(_ person: StoredPerson, _ records: any RegistrationRecords) throws -> UserReply {
        let (record, devices) = (try records.record(person), try records.devices(of: person.id, tenant: person.tenant))
        let tag = try record.entityTag()
        return UserReply.with {
            $0.person = record
            $0.deviceCount = UInt32(devices.count)
            $0.hasPassword_p = person.passwordHash != nil
            $0.etag = tag
        }
    }
}
