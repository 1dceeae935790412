package import Domain

// Tokens of a tenant, and the operator's set-up of tenants.

/// RFC 6749 section 5.1.
package struct TokenReply: APIReply {
    package var accessToken: String
    package var tokenType: String
    package var expiresIn: Int

    package enum CodingKeys: String, CodingKey, CaseIterable {
        case accessToken = "access_token"
        case tokenType = "token_type"
        case expiresIn = "expires_in"
    }

    package init(accessToken: String, tokenType: String, expiresIn: Int) {
        self.accessToken = accessToken
        self.tokenType = tokenType
        self.expiresIn = expiresIn
    }
}

/// RFC 6749 section 5.2.
package struct TokenProblem: APIReply {
    package var error: String
    @Nullable package var errorDescription: String?

    package enum CodingKeys: String, CodingKey, CaseIterable {
        case error
        case errorDescription = "error_description"
    }

    package init(error: String, errorDescription: String? = nil) {
        self.error = error
        self.errorDescription = errorDescription
    }
}

/// `POST /v1/tenants`, by an operator.
package struct TenantCreation: APIRequest {
    package var id: String
    package var name: String

    package enum CodingKeys: String, CodingKey, CaseIterable { case id, name }
    package static var shape: DocumentShape { .members(of: CodingKeys.self) }

    package init(id: String, name: String) {
        self.id = id
        self.name = name
    }
}

/// `adminToken` is shown once: null when the tenant existed. Also the reply to `POST /v1/{tenant}:renew-admin-token`.
package struct TenantCreated: APIReply {
    package var id: String
    package var name: String
    @Nullable package var adminToken: String?

    package enum CodingKeys: String, CodingKey, CaseIterable { case id, name, adminToken }

    package init(id: String, name: String, adminToken: String? = nil) {
        self.id = id
        self.name = name
        self.adminToken = adminToken
    }
}
