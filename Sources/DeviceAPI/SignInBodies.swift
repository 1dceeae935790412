package import Domain

// Section 1: an application that wants a person signed in.

/// What the application says of the place that asked. Further members are allowed and ignored.
package struct SignInContext: APIRequest {
    package var ipAddress: String?
    package var userAgent: String?

    package enum CodingKeys: String, CodingKey, CaseIterable { case ipAddress, userAgent }
    package static var shape: DocumentShape { .members(of: CodingKeys.self) }

    package init(ipAddress: String? = nil, userAgent: String? = nil) {
        self.ipAddress = ipAddress
        self.userAgent = userAgent
    }
}

/// `POST /v1/{tenant}/sign-ins`.
package struct SignInRequest: APIRequest {
    package var username: String
    /// `passwordless` when left out.
    package var factor: Factor?
    /// The name to show; when left out, the client's own.
    package var application: String?
    package var context: SignInContext?

    package enum CodingKeys: String, CodingKey, CaseIterable { case username, factor, application, context }
    package static var shape: DocumentShape { .members(of: CodingKeys.self, ["context": .value]) }

    package init(username: String, factor: Factor? = nil, application: String? = nil, context: SignInContext? = nil) {
        self.username = username
        self.factor = factor
        self.application = application
        self.context = context
    }
}

/// A request that now waits for the phone: the same shape for every user name.
package struct SignInReply: APIReply {
    package var id: String
    /// 256 random bits, given once; later calls send it as `Sign-In-Secret`.
    package var secret: String
    package var status: ChallengeStatus
    /// The decimal digits to show.
    package var number: String
    package var createdAt: Timestamp
    package var expiresAt: Timestamp
    package var methods: [SignInMethod]

    package enum CodingKeys: String, CodingKey, CaseIterable {
        case id, secret, status, number, createdAt, expiresAt, methods
    }

    package init(
        id: String, secret: String, status: ChallengeStatus, number: String, createdAt: Timestamp,
        expiresAt: Timestamp, methods: [SignInMethod]
    ) {
        self.id = id
        self.secret = secret
        self.status = status
        self.number = number
        self.createdAt = createdAt
        self.expiresAt = expiresAt
        self.methods = methods
    }
}

/// Where a request stands; also the data of `event: status`.
package struct SignInStatus: APIReply {
    package var id: String
    package var status: ChallengeStatus
    /// Only when denied.
    @Nullable package var reason: String?
    @Nullable package var method: SignInMethod?
    package var expiresAt: Timestamp

    package enum CodingKeys: String, CodingKey, CaseIterable { case id, status, reason, method, expiresAt }

    package init(
        id: String, status: ChallengeStatus, reason: String? = nil, method: SignInMethod? = nil, expiresAt: Timestamp
    ) {
        self.id = id
        self.status = status
        self.reason = reason
        self.method = method
        self.expiresAt = expiresAt
    }
}

/// `POST …/sign-ins/{id}/code`.
package struct CodeRequest: APIRequest {
    package var code: String
    package var password: String?

    package enum CodingKeys: String, CodingKey, CaseIterable { case code, password }
    package static var shape: DocumentShape { .members(of: CodingKeys.self) }

    package init(code: String, password: String? = nil) {
        self.code = code
        self.password = password
    }
}

/// Who signed in.
package struct RedeemedUser: APIReply {
    package var id: String
    package var username: String
    package var displayName: String

    package enum CodingKeys: String, CodingKey, CaseIterable { case id, username, displayName }

    package init(id: String, username: String, displayName: String) {
        self.id = id
        self.username = username
        self.displayName = displayName
    }
}

/// An EC P-256 public key (RFC 7517, RFC 7518 section 6.2).
package struct PublicKeyDocument: APIReply {
    package var kty: String
    package var crv: String
    package var x: String
    package var y: String

    package enum CodingKeys: String, CodingKey, CaseIterable { case kty, crv, x, y }

    package init(kty: String, crv: String, x: String, y: String) {
        self.kty = kty
        self.crv = crv
        self.x = x
        self.y = y
    }
}

/// The result of a sign-in, given once, with what is needed to verify the phone's receipt offline.
package struct RedeemReply: APIReply {
    package var user: RedeemedUser
    package var method: SignInMethod
    /// RFC 8176.
    package var amr: [String]
    package var acr: String
    package var authTime: Timestamp
    /// The phone's answer as a compact JWS.
    @Nullable package var receipt: String?
    /// base64url of the exact bytes that the phone showed.
    @Nullable package var receiptContent: String?
    @Nullable package var receiptKey: PublicKeyDocument?

    package enum CodingKeys: String, CodingKey, CaseIterable {
        case user, method, amr, acr, authTime, receipt, receiptContent, receiptKey
    }

    package init(
        user: RedeemedUser, method: SignInMethod, amr: [String], acr: String, authTime: Timestamp,
        receipt: String? = nil, receiptContent: String? = nil, receiptKey: PublicKeyDocument? = nil
    ) {
        self.user = user
        self.method = method
        self.amr = amr
        self.acr = acr
        self.authTime = authTime
        self.receipt = receipt
        self.receiptContent = receiptContent
        self.receiptKey = receiptKey
    }
}
