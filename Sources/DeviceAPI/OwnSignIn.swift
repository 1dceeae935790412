package import Domain

/// One of a person's own sign-ins, as `GET …/me/sign-ins` lists them.
package struct OwnSignIn: APIReply {
    package var id: String
    package var at: Timestamp
    package var purpose: Purpose
    @Nullable package var application: String?
    package var status: ChallengeStatus
    /// What the person did, where the request was denied; never why a request did not reach a phone.
    @Nullable package var reason: DenialReason?
    @Nullable package var method: SignInMethod?
    @Nullable package var deviceId: String?
    @Nullable package var deviceName: String?
    @Nullable package var ipAddress: String?
    @Nullable package var userAgent: String?
    @Nullable package var settledAt: Timestamp?

    package enum CodingKeys: String, CodingKey, CaseIterable {
        case id, at, purpose, application, status, reason, method, deviceId, deviceName, ipAddress, userAgent, settledAt
    }

    package init(
        id: String, at: Timestamp, purpose: Purpose, application: String? = nil, status: ChallengeStatus,
        reason: DenialReason? = nil, method: SignInMethod? = nil, deviceId: String? = nil, deviceName: String? = nil,
        ipAddress: String? = nil, userAgent: String? = nil, settledAt: Timestamp? = nil
    ) {
        self.id = id
        self.at = at
        self.purpose = purpose
        self.application = application
        self.status = status
        self.reason = reason
        self.method = method
        self.deviceId = deviceId
        self.deviceName = deviceName
        self.ipAddress = ipAddress
        self.userAgent = userAgent
        self.settledAt = settledAt
    }
}

/// A session that a password or a Temporary Access Pass opened by itself, as `GET …/me/password-sign-ins` lists them.
package struct OwnPasswordSignIn: APIReply {
    package enum Method: String, Sendable, Codable, CaseIterable {
        case password, temporaryAccessPass
    }

    package var id: String
    package var at: Timestamp
    package var method: Method
    @Nullable package var ipAddress: String?
    @Nullable package var userAgent: String?
    /// The person said that it was not them.
    package var reported: Bool

    package enum CodingKeys: String, CodingKey, CaseIterable { case id, at, method, ipAddress, userAgent, reported }

    package init(
        id: String, at: Timestamp, method: Method, ipAddress: String? = nil, userAgent: String? = nil, reported: Bool
    ) {
        self.id = id
        self.at = at
        self.method = method
        self.ipAddress = ipAddress
        self.userAgent = userAgent
        self.reported = reported
    }
}
