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
