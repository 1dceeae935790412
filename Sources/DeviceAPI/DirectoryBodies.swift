package import Domain

// Section 5: people and groups.

/// `POST …/admin/users`.
package struct UserCreation: APIRequest {
    package var username: String
    package var displayName: String?
    package var password: String?
    /// `administrator`.
    package var roles: [String]?
    /// Group ids.
    package var groups: [String]?

    package enum CodingKeys: String, CodingKey, CaseIterable { case username, displayName, password, roles, groups }
    package static var shape: DocumentShape { .members(of: CodingKeys.self) }

    package init(
        username: String, displayName: String? = nil, password: String? = nil, roles: [String]? = nil,
        groups: [String]? = nil
    ) {
        self.username = username
        self.displayName = displayName
        self.password = password
        self.roles = roles
        self.groups = groups
    }
}

/// `PATCH …/admin/users/{id}`: members that are left out stay.
package struct UserPatch: APIRequest {
    package var displayName: String?
    /// Empty: no password any more.
    package var password: String?
    package var roles: [String]?
    package var groups: [String]?

    package enum CodingKeys: String, CodingKey, CaseIterable { case displayName, password, roles, groups }
    package static var shape: DocumentShape { .members(of: CodingKeys.self) }

    package init(displayName: String? = nil, password: String? = nil, roles: [String]? = nil, groups: [String]? = nil) {
        self.displayName = displayName
        self.password = password
        self.roles = roles
        self.groups = groups
    }
}

/// One person.
package struct UserDocument: APIReply {
    package var id: String
    package var username: String
    package var displayName: String
    package var blocked: Bool
    package var roles: [String]
    package var groups: [String]
    package var createdAt: Timestamp

    package enum CodingKeys: String, CodingKey, CaseIterable {
        case id, username, displayName, blocked, roles, groups, createdAt
    }

    package init(
        id: String, username: String, displayName: String, blocked: Bool, roles: [String], groups: [String],
        createdAt: Timestamp
    ) {
        self.id = id
        self.username = username
        self.displayName = displayName
        self.blocked = blocked
        self.roles = roles
        self.groups = groups
        self.createdAt = createdAt
    }
}

/// `POST …/admin/groups`, and `PATCH …/admin/groups/{id}`.
package struct GroupRequest: APIRequest {
    package var name: String

    package enum CodingKeys: String, CodingKey, CaseIterable { case name }
    package static var shape: DocumentShape { .members(of: CodingKeys.self) }

    package init(name: String) {
        self.name = name
    }
}

/// One group.
package struct GroupDocument: APIReply {
    package var id: String
    package var name: String
    package var memberCount: Int
    package var createdAt: Timestamp

    package enum CodingKeys: String, CodingKey, CaseIterable { case id, name, memberCount, createdAt }

    package init(id: String, name: String, memberCount: Int, createdAt: Timestamp) {
        self.id = id
        self.name = name
        self.memberCount = memberCount
        self.createdAt = createdAt
    }
}

/// `POST` and `PATCH …/admin/groups/{id}/members`: user ids to add and to remove.
package struct MembersPatch: APIRequest {
    package var add: [String]?
    package var remove: [String]?

    package enum CodingKeys: String, CodingKey, CaseIterable { case add, remove }
    package static var shape: DocumentShape { .members(of: CodingKeys.self) }

    package init(add: [String]? = nil, remove: [String]? = nil) {
        self.add = add
        self.remove = remove
    }
}

/// `POST …/temporary-access-pass`: the tenant's settings where members are left out.
package struct PassRequest: APIRequest {
    package var lifetimeMinutes: Int?
    package var usableOnce: Bool?

    package enum CodingKeys: String, CodingKey, CaseIterable { case lifetimeMinutes, usableOnce }
    package static var shape: DocumentShape { .members(of: CodingKeys.self) }

    package init(lifetimeMinutes: Int? = nil, usableOnce: Bool? = nil) {
        self.lifetimeMinutes = lifetimeMinutes
        self.usableOnce = usableOnce
    }
}

/// A pass, shown once.
package struct PassReply: APIReply {
    package var id: String
    package var temporaryAccessPass: String
    package var expiresAt: Timestamp
    package var usableOnce: Bool

    package enum CodingKeys: String, CodingKey, CaseIterable { case id, temporaryAccessPass, expiresAt, usableOnce }

    package init(id: String, temporaryAccessPass: String, expiresAt: Timestamp, usableOnce: Bool) {
        self.id = id
        self.temporaryAccessPass = temporaryAccessPass
        self.expiresAt = expiresAt
        self.usableOnce = usableOnce
    }
}

/// `GET …/temporary-access-pass`: whether one is out, and never which.
package struct PassState: APIReply {
    package var outstanding: Bool
    @Nullable package var id: String?
    @Nullable package var issuedAt: Timestamp?
    @Nullable package var expiresAt: Timestamp?
    @Nullable package var usableOnce: Bool?

    package enum CodingKeys: String, CodingKey, CaseIterable { case outstanding, id, issuedAt, expiresAt, usableOnce }

    package init(
        outstanding: Bool, id: String? = nil, issuedAt: Timestamp? = nil, expiresAt: Timestamp? = nil,
        usableOnce: Bool? = nil
    ) {
        self.outstanding = outstanding
        self.id = id
        self.issuedAt = issuedAt
        self.expiresAt = expiresAt
        self.usableOnce = usableOnce
    }
}

/// One line of an import that was not taken.
package struct ImportProblemLine: APIReply {
    /// From 1, the header counted.
    package var line: Int
    package var code: String
    package var detail: String
    /// A word for the very fault, out of a list that only grows; null where `code` says it all.
    @Nullable package var reason: String?
    /// What `reason` speaks of: limits and names of members.
    package var parameters: [String: String]

    package enum CodingKeys: String, CodingKey, CaseIterable { case line, code, detail, reason, parameters }

    package init(line: Int, code: String, detail: String, reason: String? = nil, parameters: [String: String] = [:]) {
        self.line = line
        self.code = code
        self.detail = detail
        self.reason = reason
        self.parameters = parameters
    }
}

/// What an import did.
package struct ImportReport: APIReply {
    package var created: Int
    package var updated: Int
    /// Lines that say what is so already.
    package var unchanged: Int
    /// How many lines were not taken, listed or not.
    package var problemCount: Int
    /// The first of them, by line: at most `APILimits.importProblemsMax`.
    package var problems: [ImportProblemLine]

    package enum CodingKeys: String, CodingKey, CaseIterable {
        case created, updated, unchanged, problemCount, problems
    }

    package init(created: Int, updated: Int, unchanged: Int, problemCount: Int, problems: [ImportProblemLine]) {
        self.created = created
        self.updated = updated
        self.unchanged = unchanged
        self.problemCount = problemCount
        self.problems = problems
    }
}

/// `POST …/devices/{deviceId}:check-push`: what the device's push provider said to a test.
package struct PushCheck: APIReply {
    package var transport: PushTransport
    /// `delivered`, or why not.
    package var outcome: String
    /// The provider's HTTP status; null when it did not answer, or was not asked.
    @Nullable package var status: Int?
    /// The provider's own word; null when it gave none.
    @Nullable package var reason: String?
    package var latencyMilliseconds: Int

    package enum CodingKeys: String, CodingKey, CaseIterable {
        case transport, outcome, status, reason, latencyMilliseconds
    }

    package init(
        transport: PushTransport, outcome: String, status: Int? = nil, reason: String? = nil, latencyMilliseconds: Int
    ) {
        self.transport = transport
        self.outcome = outcome
        self.status = status
        self.reason = reason
        self.latencyMilliseconds = latencyMilliseconds
    }
}
