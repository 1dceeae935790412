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

/// How many people go from one mode to another, or stay; null: the authenticator may not be used.
package struct PreviewedModes: APIReply {
    @Nullable package var before: String?
    @Nullable package var after: String?
    package var people: Int
    /// Of them, those with an active device.
    package var withDevice: Int
    /// Of them, those with an active device on which phone sign-in is set up.
    package var withPhoneSignIn: Int

    package enum CodingKeys: String, CodingKey, CaseIterable {
        case before, after, people, withDevice, withPhoneSignIn
    }

    package init(before: String?, after: String?, people: Int, withDevice: Int, withPhoneSignIn: Int) {
        self.before = before
        self.after = after
        self.people = people
        self.withDevice = withDevice
        self.withPhoneSignIn = withPhoneSignIn
    }
}

/// `POST …/admin/policies/authenticator:preview`: what a merge patch would mean for everybody.
package struct PolicyPreview: APIReply {
    /// Of the document that the patch was compared with.
    package var etag: String
    /// Everybody in the directory, blocked or not.
    package var people: Int
    /// Each pair of modes that occurs.
    package var modes: [PreviewedModes]

    package enum CodingKeys: String, CodingKey, CaseIterable { case etag, people, modes }

    package init(etag: String, people: Int, modes: [PreviewedModes]) {
        self.etag = etag
        self.people = people
        self.modes = modes
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
    package static var shape: DocumentShape { .members(of: CodingKeys.self) }

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
