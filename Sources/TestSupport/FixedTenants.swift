package import Domain
package import ServiceKit
import Synchronization
package import Wire

/// Tenants that a test sets by hand.
package final class FixedTenants: Tenants {
    private let views: Mutex<[TenantID: TenantView]?>

    /// Nil: not known yet, as before the first word from policy.
    package init(_ views: [TenantView]?) {
        self.views = Mutex(views.map { Dictionary($0.map { ($0.id, $0) }, uniquingKeysWith: { _, last in last }) })
    }

    package convenience init(_ views: TenantView...) { self.init(views) }

    package func set(_ view: TenantView) { views.withLock { $0 = ($0 ?? [:]).merging([view.id: view]) { $1 } } }

    /// Changes one tenant and moves its revision.
    package func change(_ id: TenantID, _ body: (inout AuthenticatorPolicy, inout TenantSettings) -> Void) {
        views.withLock { views in
            guard let view = views?[id] else { preconditionFailure("\(id) has not been set") }
            var (policy, settings) = (view.policy, view.settings)
            body(&policy, &settings)
            views?[id] = TenantView(
                id: id, name: view.name, revision: view.revision + 1, policy: policy, settings: settings)
        }
    }

    package func remove(_ id: TenantID) { views.withLock { _ = $0?.removeValue(forKey: id) } }

    package func tenant(_ id: TenantID) throws(ServiceError) -> TenantView {
        guard let views = views.withLock({ $0 }) else {
            throw ServiceError(.unavailable, "the tenants are not known yet", retryAfter: .seconds(1))
        }
        guard let view = views[id] else { throw ServiceError(.notFound, "no such tenant") }
        return view
    }
}
