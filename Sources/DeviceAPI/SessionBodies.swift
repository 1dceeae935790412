package import Domain

// Section 4: a person's own session and methods.

/// `POST …/session`: a user name with a password, with a pass, or alone.
package struct SessionRequest: APIRequest {
    package var username: String
    package var password: String?
    package var temporaryAccessPass: String?

    package enum CodingKeys: String, CodingKey, CaseIterable { case username, password, temporaryAccessPass }
    package static var shape: DocumentShape { .members(of: CodingKeys.self) }

    package init(username: String, password: String? = nil, temporaryAccessPass: String? = nil) {
        self.username = username
        self.password = password
        self.temporaryAccessPass = temporaryAccessPass
    }
}

/// 202: no session yet, a request on the phone first.
package struct SessionSignIn: APIReply {
    package var signIn: SignInReply

    package enum CodingKeys: String, CodingKey, CaseIterable { case signIn }

    package init(signIn: SignInReply) {
        self.signIn = signIn
    }
}

/// `POST …/session/complete`.
package struct SessionCompletion: APIRequest {
    package var id: String
    package var secret: String

    package enum CodingKeys: String, CodingKey, CaseIterable { case id, secret }
    package static var shape: DocumentShape { .members(of: CodingKeys.self) }

    package init(id: String, secret: String) {
        self.id = id
        self.secret = secret
    }
}

/// The person of a session.
package struct PersonView: APIReply {
    package var id: String
    package var username: String
    package var displayName: String
    package var roles: [String]

    package enum CodingKeys: String, CodingKey, CaseIterable { case id, username, displayName, roles }

    package init(id: String, username: String, displayName: String, roles: [String]) {
        self.id = id
        self.username = username
        self.displayName = displayName
        self.roles = roles
    }
}

/// 200: a session, whose token is in the cookie only.
package struct SessionReply: APIReply {
    package var user: PersonView
    package var expiresAt: Timestamp

    package enum CodingKeys: String, CodingKey, CaseIterable { case user, expiresAt }

    package init(user: PersonView, expiresAt: Timestamp) {
        self.user = user
        self.expiresAt = expiresAt
    }
}

/// `GET …/me`.
package struct OwnMethods: APIReply {
    package var person: PersonView
    /// password, temporaryAccessPass, push, code, phoneSignIn: those that are usable now.
    package var methods: [String]
    package var devices: [DeviceDocument]
    /// What the person chose, where that is usable now, otherwise the first that is; null where none is.
    @Nullable package var defaultMethod: DefaultMethod?

    package enum CodingKeys: String, CodingKey, CaseIterable { case person, methods, devices, defaultMethod }

    package init(person: PersonView, methods: [String], devices: [DeviceDocument], defaultMethod: DefaultMethod? = nil)
    {
        self.person = person
        self.methods = methods
        self.devices = devices
        self.defaultMethod = defaultMethod
    }
}

/// `PATCH …/me`.
package struct OwnChoice: APIRequest {
    package var defaultMethod: DefaultMethod

    package enum CodingKeys: String, CodingKey, CaseIterable { case defaultMethod }
    package static var shape: DocumentShape { .members(of: CodingKeys.self) }

    package init(defaultMethod: DefaultMethod) {
        self.defaultMethod = defaultMethod
    }
}

/// 201: what the QR code holds.
package struct ActivationCreated: APIReply {
    package var id: String
    package var activationUri: String
    package var expiresAt: Timestamp

    package enum CodingKeys: String, CodingKey, CaseIterable { case id, activationUri, expiresAt }

    package init(id: String, activationUri: String, expiresAt: Timestamp) {
        self.id = id
        self.activationUri = activationUri
        self.expiresAt = expiresAt
    }
}

/// Where an activation stands: `number` while it is confirming, `deviceId` from then on.
package struct ActivationProgress: APIReply {
    package var state: ActivationState
    @Nullable package var number: String?
    @Nullable package var deviceId: String?
    package var expiresAt: Timestamp

    package enum CodingKeys: String, CodingKey, CaseIterable { case state, number, deviceId, expiresAt }

    package init(state: ActivationState, number: String? = nil, deviceId: String? = nil, expiresAt: Timestamp) {
        self.state = state
        self.number = number
        self.deviceId = deviceId
        self.expiresAt = expiresAt
    }
}
