import Domain
import Messaging
import ServiceKit
import Storage
import SwiftProtobuf
import Wire

extension RegistrationService {
    /// Time kept back to commit and reply when the hashing of passwords takes up the call's time.
    private static let importReserve = Duration.seconds(1)

    /// One batch of an upload. A bad line is reported by its number and stops no other.
    func importUsers(_ request: ImportUsers, _ context: HandlerContext) async throws -> ImportUsersReply {
        let tenant = TenantID(request.tenant)
        _ = try tenants.tenant(tenant)
        guard request.lines.count <= configuration.importLinesMax else {
            throw ServiceError(.tooLarge, "at most \(configuration.importLinesMax) lines at once")
        }
        if let reply = try await once.replay(request, context) { return reply }
        var (lines, problems): ([ImportedLine], [ImportProblem]) = ([], [])
        for line in request.lines {
            do {
                var checked = try ImportedLine(line)
                // Last: it costs the most.
                checked.passwordHash = try await importedHash(line, context)
                lines.append(checked)
            } catch let error as ServiceError {
                problems.append(Self.problem(line.line, error))
            }
        }
        return try await change(request, context) { [lines, problems] change in
            var reply = ImportUsersReply()
            reply.problems = problems
            var groups: [String: GroupID] = [:]
            for line in lines {
                do {
                    let isNew = try Self.write(line, tenant, request.actor, &groups, change)
                    if isNew { reply.created += 1 } else { reply.updated += 1 }
                } catch let error as ServiceError {
                    reply.problems.append(Self.problem(line.number, error))
                }
            }
            reply.problems.sort { $0.line < $1.line }
            return reply
        }
    }

    /// Hashing waits for a free core instead of failing, as long as the caller waits.
    private func importedHash(_ line: ImportLine, _ context: HandlerContext) async throws -> String? {
        if line.password.isEmpty { return nil }
        var backOff = BackOff(first: .milliseconds(50), longest: .milliseconds(500))
        while true {
            guard ContinuousClock.now + Self.importReserve < context.call.deadline else {
                throw ServiceError(.unavailable, "there was no time left for this line; send it again")
            }
            if let hash = try await hashUnlessBusy(Array(line.password)) { return hash }
            try await Task.sleep(for: backOff.next())
        }
    }

    /// Nil when every core is hashing already.
    private func hashUnlessBusy(_ password: [UInt8]) async throws -> String? {
        do {
            return try await hash(password)
        } catch {
            if error.code == .overloaded { return nil }
            throw error
        }
    }

    private static func problem(_ line: UInt32, _ error: ServiceError) -> ImportProblem {
        ImportProblem.with {
            $0.line = line
            $0.code = error.code.name
            $0.detail = error.detail
        }
    }

    /// Creates or updates one person; true when created. Everything that can be refused was refused before.
    private static func write(
        _ line: ImportedLine, _ tenant: TenantID, _ actor: Actor, _ groups: inout [String: GroupID], _ change: Change
    ) throws -> Bool {
        let existing = try change.records.person(named: FoldedUsername(line.username), tenant: tenant)
        let before = try existing.map { try change.records.auditDocument($0) }
        var person =
            existing
            ?? StoredPerson(
                tenant: tenant, id: PersonID(Fresh.uuid()), username: line.username, displayName: line.username,
                createdAt: change.at)
        if !line.displayName.isEmpty { person.displayName = line.displayName }
        if let hash = line.passwordHash { person.passwordHash = hash }
        if !line.roles.isEmpty { person.roles = line.roles }
        if existing == nil { try change.records.insert(person) } else { try change.records.update(person) }
        if existing != nil, line.passwordHash != nil { try passwordChanged(person, actor, change) }
        for name in line.groups {
            let group = try groups[name] ?? Self.group(named: name, tenant, actor, change)
            groups[name] = group
            try change.records.add(person.id, to: group, tenant: tenant)
        }
        try change.audit(
            actor, "user.import", tenant: tenant, target: person.id.rawValue, before: before,
            after: change.records.auditDocument(person))
        change.tell(tenant: tenant, device: nil, person: person.id, mayListen: !person.isBlocked)
        return existing == nil
    }

    private static func group(named name: String, _ tenant: TenantID, _ actor: Actor, _ change: Change) throws
        -> GroupID
    {
        if let group = try change.records.group(named: name, tenant: tenant) { return group.id }
        let group = StoredGroup(tenant: tenant, id: GroupID(Fresh.uuid()), name: name, createdAt: change.at)
        try change.records.insert(group)
        try change.audit(actor, "group.create", tenant: tenant, target: group.id.rawValue, after: group.auditDocument)
        return group.id
    }
}

/// A line that was checked: nothing about it can be refused any more.
private struct ImportedLine: Sendable {
    let number: UInt32
    let username: String
    let displayName: String
    var passwordHash: String?
    let roles: [String]
    let groups: [String]

    init(_ line: ImportLine) throws {
        number = line.line
        username = try DirectoryInput.username(line.username)
        displayName =
            line.displayName.isEmpty ? "" : try DirectoryInput.displayName(line.displayName, of: line.username)
        roles = try DirectoryInput.roles(line.roles)
        var groups: [String] = []
        for name in line.groups { groups.append(try DirectoryInput.groupName(name)) }
        self.groups = groups
    }
}
