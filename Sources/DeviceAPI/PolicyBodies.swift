package import Domain

// Section 5: what the policy says, and the applications that may ask.

/// One rule and what it said.
package struct ExplainedRule: APIReply {
    package var rule: String
    package var result: String

    package enum CodingKeys: String, CodingKey, CaseIterable { case rule, result }

    package init(rule: String, result: String) {
        self.rule = rule
        self.result = result
    }
}

/// A target of the policy.
package struct ExplainedTarget: APIReply {
    package var targetType: String
    package var id: String

    package enum CodingKeys: String, CodingKey, CaseIterable { case targetType, id }

    package init(targetType: String, id: String) {
        self.targetType = targetType
        self.id = id
    }
}

/// What the policy gives this person.
package struct ExplainedFeatures: APIReply {
    package var displayAppInformation: Bool
    package var displayLocationInformation: Bool
    package var offlineCodes: Bool

    package enum CodingKeys: String, CodingKey, CaseIterable {
        case displayAppInformation, displayLocationInformation, offlineCodes
    }

    package init(displayAppInformation: Bool, displayLocationInformation: Bool, offlineCodes: Bool) {
        self.displayAppInformation = displayAppInformation
        self.displayLocationInformation = displayLocationInformation
        self.offlineCodes = offlineCodes
    }
}

/// `GET …/explain?user=`: who decided, and why.
package struct Explanation: APIReply {
    package var user: String
    @Nullable package var mode: String?
    @Nullable package var decidingTarget: ExplainedTarget?
    package var rules: [ExplainedRule]
    package var features: ExplainedFeatures

    package enum CodingKeys: String, CodingKey, CaseIterable { case user, mode, decidingTarget, rules, features }

    package init(
        user: String, mode: String? = nil, decidingTarget: ExplainedTarget? = nil, rules: [ExplainedRule],
        features: ExplainedFeatures
    ) {
        self.user = user
        self.mode = mode
        self.decidingTarget = decidingTarget
        self.rules = rules
        self.features = features
    }
}

/// `POST …/admin/clients`.
package struct ClientCreation: APIRequest {
    package var name: String
    /// Names that it may show beside its own.
    package var applications: [String]?
    package var anyApplication: Bool?
    /// signIn (when left out), admin.
    package var roles: [String]?

    package enum CodingKeys: String, CodingKey, CaseIterable { case name, applications, anyApplication, roles }
    package static var shape: BodyShape { .members(of: CodingKeys.self) }

    package init(name: String, applications: [String]? = nil, anyApplication: Bool? = nil, roles: [String]? = nil) {
        self.name = name
        self.applications = applications
        self.anyApplication = anyApplication
        self.roles = roles
    }
}

/// One application that may ask. `secret` only in the reply to its creation.
package struct ClientDocument: APIReply {
    package var id: String
    package var name: String
    package var applications: [String]
    package var anyApplication: Bool
    package var roles: [String]
    package var createdAt: Timestamp

    package enum CodingKeys: String, CodingKey, CaseIterable {
        case id, name, applications, anyApplication, roles, createdAt
    }

    package init(
        id: String, name: String, applications: [String], anyApplication: Bool, roles: [String], createdAt: Timestamp
    ) {
        self.id = id
        self.name = name
        self.applications = applications
        self.anyApplication = anyApplication
        self.roles = roles
        self.createdAt = createdAt
    }
}

/// A new application with its secret, shown once.
package struct ClientCreated: APIReply {
    package var id: String
    package var secret: String
    package var name: String
    package var applications: [String]
    package var anyApplication: Bool
    package var roles: [String]
    package var createdAt: Timestamp

    package enum CodingKeys: String, CodingKey, CaseIterable {
        case id, secret, name, applications, anyApplication, roles, createdAt
    }

    package init(
        id: String, secret: String, name: String, applications: [String], anyApplication: Bool, roles: [String],
        createdAt: Timestamp
    ) {
        self.id = id
        self.secret = secret
        self.name = name
        self.applications = applications
        self.anyApplication = anyApplication
        self.roles = roles
        self.createdAt = createdAt
    }
}
