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
                checked.password = try await importedPassword(line, tenant, context)
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
                    switch try Self.write(line, tenant, request.actor, &groups, change) {
                    case .created: reply.created += 1
                    case .updated: reply.updated += 1
                    case .unchanged: reply.unchanged += 1
                    }
                } catch let error as ServiceError {
                    reply.problems.append(Self.problem(line.number, error))
                }
            }
            reply.problems.sort { $0.line < $1.line }
            return reply
        }
    }

    /// Whoever has this password already keeps it, and the sessions that it opened.
    private func importedPassword(_ line: ImportLine, _ tenant: TenantID, _ context: HandlerContext) async throws
        -> ImportedLine.Password
    {
        if line.password.isEmpty { return .none }
        let (bytes, name) = (Array(line.password), FoldedUsername(line.username))
        try Self.checkLength(ofPassword: bytes)
        let stored = try await store.read { try $0.person(named: name, tenant: tenant)?.passwordHash }
        if let stored {
            let isSame = try await onceACoreIsFree(context) { () throws(ServiceError) in
                try await self.check(bytes, against: stored)
            }
            if isSame { return .kept(stored) }
        }
        return .set(
            try await onceACoreIsFree(context) { () throws(ServiceError) in try await self.hash(bytes) })
    }

    /// Hashing waits for a free core instead of failing, as long as the caller waits.
    private func onceACoreIsFree<Result>(
        _ context: HandlerContext, _ hashing: () async throws(ServiceError) -> Result
    ) async throws -> Result {
        var backOff = BackOff(first: .milliseconds(50), longest: .milliseconds(500))
        while true {
            guard ContinuousClock.now + Self.importReserve < context.call.deadline else {
                throw ServiceError(
                    .unavailable, "there was no time left for this line; send it again",
                    members: ["reason": "no_time_left"])
            }
            do {
                return try await hashing()
            } catch {
                guard error.code == .overloaded else { throw error }
            }
            try await Task.sleep(for: backOff.next())
        }
    }

    private static func problem(_ line: UInt32, _ error: ServiceError) -> ImportProblem {
        ImportProblem.with {
            $0.line = line
            $0.code = error.code.name
            $0.detail = error.detail
            $0.members = error.members
        }
    }

    private enum Written { case created, updated, unchanged }

    /// Creates or updates one person. Everything that can be refused was refused before, but that the person has changed meanwhile.
    private static func write(
        _ line: ImportedLine, _ tenant: TenantID, _ actor: Actor, _ groups: inout [String: GroupID], _ change: Change
    ) throws -> Written {
        let existing = try change.records.person(named: FoldedUsername(line.username), tenant: tenant)
        if case .kept(let hash) = line.password, existing?.passwordHash != hash {
            throw ServiceError(
                .conflict, "the person was changed meanwhile; send the line again",
                members: ["reason": "changed_meanwhile"])
        }
        if let existing, try isSaid(line, of: existing, change) { return .unchanged }
        let before = try existing.map { try change.records.auditDocument($0) }
        var person =
            existing
            ?? StoredPerson(
                tenant: tenant, id: PersonID(Fresh.uuid()), username: line.username, displayName: line.username,
                createdAt: change.at)
        line.apply(to: &person)
        if existing == nil { try change.records.insert(person) } else { try change.records.update(person) }
        if existing != nil, case .set = line.password { try passwordChanged(person, actor, change) }
        for name in line.groups {
            let group = try groups[name] ?? Self.group(named: name, tenant, actor, change)
            groups[name] = group
            try change.records.add(person.id, to: group, tenant: tenant)
        }
        try change.audit(
            actor, "user.import", tenant: tenant, target: person.id.rawValue, before: before,
            after: change.records.auditDocument(person))
        change.tell(tenant: tenant, device: nil, person: person.id, mayListen: !person.isBlocked)
        return existing == nil ? .created : .updated
    }

    /// Whether the person is, and belongs to, what the line says already.
    private static func isSaid(_ line: ImportedLine, of person: StoredPerson, _ change: Change) throws -> Bool {
        var written = person
        line.apply(to: &written)
        guard written == person else { return false }
        let groups = Set(try change.records.groups(of: person.id, tenant: person.tenant))
        return try line.groups.allSatisfy { name in
            try change.records.group(named: name, tenant: person.tenant).map { groups.contains($0.id) } ?? false
        }
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
    enum Password: Sendable {
        case none
        /// The hash of one that is another than before.
        case set(String)
        /// The person's own hash, which the line's password has.
        case kept(String)
    }

    let number: UInt32
    let username: String
    let displayName: String
    var password = Password.none
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

    /// What the line does not say stays as it is.
    func apply(to person: inout StoredPerson) {
        if !displayName.isEmpty { person.displayName = displayName }
        if case .set(let hash) = password { person.passwordHash = hash }
        if !roles.isEmpty { person.roles = roles }
    }
}
