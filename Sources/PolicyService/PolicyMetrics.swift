import Telemetry

/// What the policy service counts beside its messages.
struct PolicyMetrics: Sendable {
    private let changes: Counter
    private let checks: Counter

    init(_ registry: MetricsRegistry) {
        changes = registry.counter(
            "countersign_policy_changes_total", help: "Committed changes of tenants, documents and applications.",
            labels: ["action"])
        checks = registry.counter(
            "countersign_policy_credential_checks_total", help: "Checks of client secrets and bearer tokens.",
            labels: ["credential", "result"])
    }

    func changed(_ action: PolicyAction) { changes.increment(by: 1, action.rawValue) }
    func checked(_ credential: Credential, genuine: Bool) {
        checks.increment(by: 1, credential.rawValue, genuine ? "genuine" : "refused")
    }

    enum Credential: String { case secret, token }
}

/// What the audit log calls a change.
enum PolicyAction: String, Sendable {
    case createTenant = "tenant.create"
    case renewAdminToken = "tenant.renewAdminToken"
    case changePolicy = "policy.change"
    case changeSettings = "settings.change"
    case createClient = "client.create"
    case deleteClient = "client.delete"
}
