package import Domain

// Section 3: what a device asks and is told. `DeviceProof` says who asks.

/// One request that waits for this device; also the data of `event: challenge`.
package struct PendingRequest: APIReply {
    package var id: String
    package var purpose: Purpose
    /// base64url of the exact JSON bytes to show.
    package var content: String
    package var expiresAt: Timestamp

    package enum CodingKeys: String, CodingKey, CaseIterable { case id, purpose, content, expiresAt }

    package init(id: String, purpose: Purpose, content: String, expiresAt: Timestamp) {
        self.id = id
        self.purpose = purpose
        self.content = content
        self.expiresAt = expiresAt
    }
}

/// `GET …/devices/{deviceId}/challenges`.
package struct PendingRequests: APIReply {
    package var challenges: [PendingRequest]

    package enum CodingKeys: String, CodingKey, CaseIterable { case challenges }

    package init(challenges: [PendingRequest]) {
        self.challenges = challenges
    }
}

/// The data of `event: settled`.
package struct SettledEvent: APIReply {
    package var id: String
    package var status: ChallengeStatus

    package enum CodingKeys: String, CodingKey, CaseIterable { case id, status }

    package init(id: String, status: ChallengeStatus) {
        self.id = id
        self.status = status
    }
}

/// What `content` decodes to. The number is never in it.
package struct RequestContent: APIReply {
    package var id: String
    package var tenant: String
    package var user: String
    @Nullable package var application: String?
    @Nullable package var location: String?
    @Nullable package var ipAddress: String?
    @Nullable package var userAgent: String?
    package var issuedAt: Timestamp
    package var expiresAt: Timestamp
    package var numberDigits: Int

    package enum CodingKeys: String, CodingKey, CaseIterable {
        case id, tenant, user, application, location, ipAddress, userAgent, issuedAt, expiresAt, numberDigits
    }

    package init(
        id: String, tenant: String, user: String, application: String? = nil, location: String? = nil,
        ipAddress: String? = nil, userAgent: String? = nil, issuedAt: Timestamp, expiresAt: Timestamp,
        numberDigits: Int
    ) {
        self.id = id
        self.tenant = tenant
        self.user = user
        self.application = application
        self.location = location
        self.ipAddress = ipAddress
        self.userAgent = userAgent
        self.issuedAt = issuedAt
        self.expiresAt = expiresAt
        self.numberDigits = numberDigits
    }
}

/// `PATCH …/devices/{deviceId}`: members that are left out stay.
package struct DevicePatch: APIRequest {
    package var name: String?
    package var push: PushRegistration?
    package var osVersion: String?
    package var appVersion: String?

    package enum CodingKeys: String, CodingKey, CaseIterable { case name, push, osVersion, appVersion }
    package static var shape: DocumentShape { .members(of: CodingKeys.self, ["push": PushRegistration.shape]) }

    package init(
        name: String? = nil, push: PushRegistration? = nil, osVersion: String? = nil, appVersion: String? = nil
    ) {
        self.name = name
        self.push = push
        self.osVersion = osVersion
        self.appVersion = appVersion
    }
}

/// `GET …/devices/{deviceId}/push`: how the device is woken now, and by which key it subscribes to Web Push.
package struct PushState: APIReply {
    package var transport: PushTransport
    /// base64url of the uncompressed P-256 point (RFC 8292 section 3.2); null where Web Push is not set up.
    @Nullable package var applicationServerKey: String?

    package enum CodingKeys: String, CodingKey, CaseIterable { case transport, applicationServerKey }

    package init(transport: PushTransport, applicationServerKey: String? = nil) {
        self.transport = transport
        self.applicationServerKey = applicationServerKey
    }
}

/// Which device a phone sign-in is bound to.
package struct PhoneSignInDevice: APIReply {
    package var id: String
    package var name: String

    package enum CodingKeys: String, CodingKey, CaseIterable { case id, name }

    package init(id: String, name: String) {
        self.id = id
        self.name = name
    }
}

/// The method as the person sees it: both null until it is set up.
package struct PhoneSignInMethod: APIReply {
    @Nullable package var createdDateTime: Timestamp?
    @Nullable package var device: PhoneSignInDevice?

    package enum CodingKeys: String, CodingKey, CaseIterable { case createdDateTime, device }

    package init(createdDateTime: Timestamp? = nil, device: PhoneSignInDevice? = nil) {
        self.createdDateTime = createdDateTime
        self.device = device
    }
}

/// One device.
package struct DeviceDocument: APIReply {
    package var id: String
    package var name: String
    package var platform: Platform
    package var osVersion: String
    package var appVersion: String
    package var state: DeviceState
    package var createdAt: Timestamp
    @Nullable package var lastUsedAt: Timestamp?
    package var pushTransport: PushTransport
    package var phoneSignIn: PhoneSignInMethod

    package enum CodingKeys: String, CodingKey, CaseIterable {
        case id, name, platform, osVersion, appVersion, state, createdAt, lastUsedAt, pushTransport, phoneSignIn
    }

    package init(
        id: String, name: String, platform: Platform, osVersion: String, appVersion: String, state: DeviceState,
        createdAt: Timestamp, lastUsedAt: Timestamp? = nil, pushTransport: PushTransport,
        phoneSignIn: PhoneSignInMethod
    ) {
        self.id = id
        self.name = name
        self.platform = platform
        self.osVersion = osVersion
        self.appVersion = appVersion
        self.state = state
        self.createdAt = createdAt
        self.lastUsedAt = lastUsedAt
        self.pushTransport = pushTransport
        self.phoneSignIn = phoneSignIn
    }
}

/// `POST …/phone-sign-in`: exactly one member; none where the device was activated in a session that a pass opened.
package struct PhoneSignInRequest: APIRequest {
    package var password: String?
    package var temporaryAccessPass: String?

    package enum CodingKeys: String, CodingKey, CaseIterable { case password, temporaryAccessPass }
    package static var shape: DocumentShape { .members(of: CodingKeys.self) }

    package init(password: String? = nil, temporaryAccessPass: String? = nil) {
        self.password = password
        self.temporaryAccessPass = temporaryAccessPass
    }
}

/// The app shows the number; the request arrives like any other.
package struct PhoneSignInStarted: APIReply {
    package var challengeId: String
    package var number: String

    package enum CodingKeys: String, CodingKey, CaseIterable { case challengeId, number }

    package init(challengeId: String, number: String) {
        self.challengeId = challengeId
        self.number = number
    }
}

/// `GET …/phone-sign-in`.
package struct PhoneSignInState: APIReply {
    package var enabled: Bool
    @Nullable package var createdDateTime: Timestamp?
    /// The code with which a set-up is refused now, whatever the person shows.
    @Nullable package var refusal: String?
    /// Whether a set-up needs a password or a pass; null from a server that does not tell.
    @Nullable package var needsCredential: Bool?

    package enum CodingKeys: String, CodingKey, CaseIterable {
        case enabled, createdDateTime, refusal, needsCredential
    }

    package init(
        enabled: Bool, createdDateTime: Timestamp? = nil, refusal: String? = nil, needsCredential: Bool? = nil
    ) {
        self.enabled = enabled
        self.createdDateTime = createdDateTime
        self.refusal = refusal
        self.needsCredential = needsCredential
    }
}

/// `POST /v1/{tenant}/challenges/{id}/answer`: the answer is a compact JWS and authenticates itself.
package struct AnswerRequest: APIRequest {
    package var answer: String

    package enum CodingKeys: String, CodingKey, CaseIterable { case answer }
    package static var shape: DocumentShape { .members(of: CodingKeys.self) }

    package init(answer: String) {
        self.answer = answer
    }
}

/// What became of the request. `pending` with `wrong_number` while tries are left.
package struct AnswerReply: APIReply {
    package var status: ChallengeStatus
    @Nullable package var reason: DenialReason?

    package enum CodingKeys: String, CodingKey, CaseIterable { case status, reason }

    package init(status: ChallengeStatus, reason: DenialReason? = nil) {
        self.status = status
        self.reason = reason
    }
}
