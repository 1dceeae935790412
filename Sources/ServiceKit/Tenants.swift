package import Domain
package import Wire

/// One tenant as every service sees it.
package struct TenantView: Sendable, Hashable {
    package let id: TenantID
    package let name: String
    /// Moves with every change of policy, settings, clients and tokens.
    package let revision: UInt64
    package let policy: AuthenticatorPolicy
    package let settings: TenantSettings

    package init(
        id: TenantID, name: String, revision: UInt64 = 1, policy: AuthenticatorPolicy = .initial,
        settings: TenantSettings = TenantSettings()
    ) {
        self.id = id
        self.name = name
        self.revision = revision
        self.policy = policy
        self.settings = settings
    }
}

/// The tenants, their policies and their settings, kept current in this process.
package protocol Tenants: Sendable {
    /// Throws `notFound` for a tenant that does not exist, `unavailable` before the first word from policy.
    func tenant(_ id: TenantID) throws(ServiceError) -> TenantView
}
