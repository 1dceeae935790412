package import Domain
package import Secrets
package import ServiceKit
import Synchronization

/// The drivers of each tenant, made of the accounts in a folder, and made anew where those change.
package final class PushDirectory: Sendable {
    private struct Entry: Sendable {
        let digest: [UInt8]
        let driver: any StoppableDriver
    }

    private let accounts: PushAccounts
    private let provider: ProviderSettings
    private let targets: WebPushTargets
    private let entries = Mutex<[String: [PushTransport: Entry]]>([:])

    /// `sealer` opens the keys that are sealed, with the ring as it is at each `load`; with `requiresSealedKeys` there may be no others.
    package init(
        folder: String, sealer: Sealer, requiresSealedKeys: Bool = false, provider: ProviderSettings,
        targets: WebPushTargets
    ) {
        accounts = PushAccounts(folder: folder, sealer: sealer, requiresSealedKeys: requiresSealedKeys)
        self.provider = provider
        self.targets = targets
    }

    /// One a transport; each finds the tenant's own driver.
    package var drivers: [any PushDriver] {
        PushTransport.allCases.filter { $0 != .none }.map { TenantPushDriver(transport: $0, directory: self) }
    }

    /// Reads the folder. An account that has not changed keeps its driver, with its connection and its token: APNs refuses whoever
    /// makes tokens often. Throws `file` or `refused`, as `PushAccounts.read`, and changes nothing then. Not to be called twice at once.
    package func load() async throws(ConfigurationProblem) {
        let read = try accounts.read()
        let old = entries.withLock(\.self)
        let new = read.reduce(into: [String: [PushTransport: Entry]]()) { all, pair in
            let (name, accounts) = pair
            all[name] = accounts.reduce(into: [:]) { entries, pair in
                let (transport, account) = pair
                let known = old[name]?[transport]
                entries[transport] =
                    known?.digest == account.digest
                    ? known : Entry(digest: account.digest, driver: account.driver(provider, targets))
            }
        }
        entries.withLock { $0 = new }
        // What is on its way over an old connection is interrupted there, and tried again over the new one.
        for (name, former) in old {
            for (transport, entry) in former where new[name]?[transport]?.digest != entry.digest {
                await entry.driver.shutdown()
            }
        }
    }

    package func shutdown() async {
        let all = entries.withLock { entries in
            defer { entries = [:] }
            return entries.values.flatMap(\.values)
        }
        for entry in all { await entry.driver.shutdown() }
    }

    /// The `applicationServerKey` of the tenant's Web Push account (RFC 8292 section 3.2); nil when it has none.
    package func applicationServerKey(_ tenant: TenantID) -> String? {
        (driver(.webpush, for: tenant) as? WebPushDriver)?.applicationServerKey
    }

    func driver(_ transport: PushTransport, for tenant: TenantID) -> (any PushDriver)? {
        account(transport, of: tenant)?.driver
    }

    /// The tenant's own, or the one of all.
    fileprivate func account(
        _ transport: PushTransport, of tenant: TenantID
    ) -> (name: String, driver: any PushDriver)? {
        entries.withLock { entries in
            for name in [tenant.rawValue, PushAccounts.defaultName] {
                if let entry = entries[name]?[transport] { return (name, entry.driver) }
            }
            return nil
        }
    }
}

/// Sends through the tenant's own driver.
private struct TenantPushDriver: PushDriver {
    let transport: PushTransport
    let directory: PushDirectory

    func serves(_ tenant: TenantID) -> Bool { directory.driver(transport, for: tenant) != nil }

    func route(to address: Redacted<[UInt8]>, of tenant: TenantID) -> PushRoute {
        guard let account = directory.account(transport, of: tenant) else {
            // It was taken away since the wake-up was promised.
            return PushRoute { _ in PushReport(.configuration) }
        }
        var route = account.driver.route(to: address, of: tenant)
        // Of Web Push it is the push service, whosever account sends to it.
        if route.party.isEmpty { route.party = account.name }
        return route
    }

    func send(_ wakeUp: WakeUp, to address: Redacted<[UInt8]>) async -> PushReport {
        await route(to: address, of: wakeUp.tenant).send(wakeUp)
    }
}
