import Domain
import Messaging
import ServiceKit
import Storage
import SwiftProtobuf
import Wire

// What the other services ask for each sign-in: one snapshot, indexed reads, no write.

extension RegistrationService {
    func resolvePerson(_ request: ResolvePerson, _ context: HandlerContext) async throws -> ResolvePersonReply {
        let (tenant, name) = (TenantID(request.tenant), FoldedUsername(request.username))
        return try await resolve(tenant) { try $0.person(named: name, tenant: tenant) }
    }

    func readPerson(_ request: ReadPerson, _ context: HandlerContext) async throws -> ResolvePersonReply {
        let (tenant, id) = (TenantID(request.tenant), PersonID(request.personID))
        return try await resolve(tenant) { try $0.person(id, tenant: tenant) }
    }

    private func resolve(
        _ tenant: TenantID, _ find: @escaping @Sendable (any RegistrationRecords) throws -> StoredPerson?
    ) async throws -> ResolvePersonReply {
        let vault = vault
        return try await store.lookUp { records in
            guard let person = try find(records) else {
                // The same reads as for somebody: how long the answer takes must not say that there is nobody.
                _ = try records.devices(of: PersonID(""), tenant: tenant)
                _ = try records.groups(of: PersonID(""), tenant: tenant)
                return ResolvePersonReply()
            }
            let devices = try records.devices(of: person.id, tenant: person.tenant)
            let (record, deviceRecords) = (try records.record(person), try devices.map { try $0.record(vault) })
            return ResolvePersonReply.with {
                $0.found = true
                $0.person = record
                $0.devices = deviceRecords
                $0.mayUseCodes = devices.contains { $0.state == .active }
            }
        }
    }

    func readDevice(_ request: ReadDevice, _ context: HandlerContext) async throws -> ReadDeviceReply {
        let (tenant, id, now, vault) = (TenantID(request.tenant), DeviceID(request.deviceID), now(), vault)
        let view = request.withSetUp ? try tenants.tenant(tenant) : nil
        return try await store.lookUp { records in
            guard let device = try records.device(id, tenant: tenant),
                let person = try records.person(device.person, tenant: tenant)
            else { return ReadDeviceReply() }
            let record = try device.record(vault)
            let refusal = try view.flatMap { try Self.setUpRefusal(id, $0, records) }
            return ReadDeviceReply.with {
                $0.found = true
                $0.device = record
                $0.personBlocked = person.isBlocked
                $0.username = person.username
                $0.setUpRefusal = refusal?.code.name ?? ""
                $0.setUpNeedsCredential = view != nil && !device.isGranted(at: now)
            }
        }
    }

    func watchDevices(_ request: WatchDevices, _ context: HandlerContext) async throws -> WatchDevicesReply {
        await feed.changes(
            after: request.knownRevision, epoch: request.epoch, atMost: .milliseconds(Int64(request.waitMs)))
    }

    /// None for a blocked person: a code that cannot be looked up cannot be right.
    func readOfflineSecrets(_ request: ReadOfflineSecrets, _ context: HandlerContext) async throws
        -> ReadOfflineSecretsReply
    {
        let (tenant, id, vault) = (TenantID(request.tenant), PersonID(request.personID), vault)
        return try await store.lookUp { records in
            guard let person = try records.person(id, tenant: tenant), !person.isBlocked else {
                return ReadOfflineSecretsReply()
            }
            let secrets = try records.devices(of: id, tenant: tenant).filter { $0.state == .active }.map {
                try $0.offlineSecret(vault)
            }
            return ReadOfflineSecretsReply.with { $0.secrets = secrets }
        }
    }

    func listDevices(_ request: ListDevices, _ context: HandlerContext) async throws -> ListDevicesReply {
        let (tenant, vault) = (TenantID(request.tenant), vault)
        return try await store.lookUp { records in
            let person = try records.needPerson(request.personID, tenant: tenant)
            let devices = try records.devices(of: person.id, tenant: tenant).map { try $0.record(vault) }
            return ListDevicesReply.with { $0.devices = devices }
        }
    }

    func checkTargets(_ request: CheckTargets, _ context: HandlerContext) async throws -> CheckTargetsReply {
        let tenant = TenantID(request.tenant)
        return try await store.read { records in
            let people = try records.existing(people: request.personIds.map { PersonID($0) }, tenant: tenant)
            let groups = try records.existing(groups: request.groupIds.map { GroupID($0) }, tenant: tenant)
            var reply = CheckTargetsReply.with {
                $0.unknownPersonIds = request.personIds.filter { !people.contains(PersonID($0)) }
                $0.unknownGroupIds = request.groupIds.filter { !groups.contains(GroupID($0)) }
            }
            guard request.withNames else { return reply }
            for id in people { reply.personNames[id.rawValue] = try records.person(id, tenant: tenant)?.displayName }
            for id in groups { reply.groupNames[id.rawValue] = try records.group(id, tenant: tenant)?.name }
            return reply
        }
    }

    func listAudit(_ request: ListDirectoryAudit, _ context: HandlerContext) async throws -> ListAuditReply {
        let (tenant, page) = (TenantID(request.tenant), request.page)
        let filter = Storage.AuditFilter(request.filter)
        let position = try page.position()
        let before = position.flatMap { Int64($0) }
        if position != nil, before == nil {
            throw ServiceError(.malformed, "the cursor is not one that this list gave")
        }
        return try await store.read { records in
            let (entries, next) = try page.page(
                try records.auditEntries(
                    tenant: tenant, filter, before: before, limit: Paging.limit(of: page) + 1),
                key: { String($0.sequence) }, size: { try AuditEntry($0, of: .registration).serializedData().count })
            return ListAuditReply.with {
                $0.entries = entries.map { AuditEntry($0, of: .registration) }
                $0.next = next
            }
        }
    }
}
