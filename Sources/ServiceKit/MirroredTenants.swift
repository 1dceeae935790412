package import Domain
package import Wire

/// What a mirror knows, and how a reply of policy changes it.
package struct MirroredTenants: Sendable {
    package struct Effect: Equatable {
        /// Tenants that changed, came or went.
        package var changed: Set<TenantID> = []
        package var unreadable: [TenantID] = []
    }

    package private(set) var views: [TenantID: TenantView] = [:]
    /// Whether everything has been received once.
    package private(set) var isKnown = false
    package private(set) var revision: UInt64 = 0
    package private(set) var epoch: UInt64 = 0

    /// A complete set while its pages arrive; takes the place of `views` with the last one, so that no tenant is missing meanwhile.
    private var staged: [TenantID: TenantView]?

    package init() {}

    package mutating func take(_ reply: WatchPolicyReply) -> Effect {
        revision = reply.revision
        epoch = reply.epoch
        if reply.complete { staged = [:] }

        var effect = Effect()
        for snapshot in reply.changed { take(snapshot, &effect) }
        if !reply.more, let staged {
            effect.changed.formUnion(
                Set(views.keys).union(staged.keys).filter { views[$0] != staged[$0] })
            views = staged
            self.staged = nil
            isKnown = true
        }
        return effect
    }

    private mutating func take(_ snapshot: TenantSnapshot, _ effect: inout Effect) {
        let id = TenantID(snapshot.tenant)
        var view: TenantView?
        if !snapshot.deleted {
            view = TenantView(snapshot)
            if view == nil {
                effect.unreadable.append(id)
                // The last word that could be read stays in force.
                view = views[id]
            }
        }
        if staged != nil {
            staged?[id] = view
        } else if views[id] != view {
            views[id] = view
            effect.changed.insert(id)
        }
    }
}

extension TenantView {
    /// Nil when a document is not one that this build can read.
    init?(_ snapshot: TenantSnapshot) {
        guard let policy = try? AuthenticatorPolicy(document: JSONValue(parsing: Array(snapshot.policyJson))),
            let settings = try? TenantSettings(document: JSONValue(parsing: Array(snapshot.settingsJson)))
        else { return nil }
        self.init(
            id: TenantID(snapshot.tenant), name: snapshot.name, revision: snapshot.revision, policy: policy,
            settings: settings)
    }
}
