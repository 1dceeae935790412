import RegistrationService
import Secrets
import ServiceKit
import Storage
import StoragePostgreSQL
import StorageSQLite
import Wire

/// The registration process: people, their devices, passwords and sessions.
@main
enum RegistrationMain {
    static let hashesAtOnce = Setting.number(
        "registration.passwordHashesAtOnce", default: 0, in: 0...256,
        help: "Password hashes computed at the same time, 128 MiB each; 0 is one a core.")

    static func main() async {
        await ServiceMain.run(.registration, settings: [hashesAtOnce.key]) { process in
            let store: any Store<any RegistrationRecords> =
                switch process.store {
                case .sqlite(let path): try SQLiteStore.registration(path: path, onCommit: process.onCommit)
                case .postgresql(let place):
                    try await PostgreSQLStore.registration(
                        place, onCommit: process.onCommit, onFailedRun: process.onFailedRun)
                }
            process.measure(store)
            let tenants = TenantMirror(caller: process.caller, logger: process.logger, now: process.now)
            let hashes = process.settings[hashesAtOnce]
            let service = RegistrationService(
                RegistrationService.Dependencies(
                    store: store, caller: process.caller, tenants: tenants, sealer: try process.sealer(),
                    hasher: hashes == 0 ? PasswordHasher() : PasswordHasher(concurrent: hashes),
                    metrics: process.metrics,
                    logger: process.logger, now: process.now))
            return ServiceParts(
                routes: service.routes, background: [tenants, service],
                dependencies: [.store(store), .tenants(tenants)], prepare: tenants.waitUntilReady,
                close: { await store.close() })
        }
    }
}
