import ServiceKit
import Storage
import StoragePostgreSQL
import StorageSQLite
import VerifierService
import Wire

/// The verifier process: whether answers, proofs and codes are genuine.
@main
enum VerifierMain {
    static let deviceKeysMax = Setting.number(
        "verifier.deviceKeysMax", default: 10_000, in: 1...10_000_000,
        help: "Device keys kept in memory, about 1 KiB each; others are asked for when they are needed.")

    static func main() async {
        await ServiceMain.run(.verifier, settings: [deviceKeysMax.key]) { process in
            let store: any Store<any VerifierRecords> =
                switch process.store {
                case .sqlite(let path): try SQLiteStore.verifier(path: path, onCommit: process.onCommit)
                case .postgresql(let place):
                    try await PostgreSQLStore.verifier(
                        place, onCommit: process.onCommit, onFailedRun: process.onFailedRun)
                }
            process.measure(store)
            let tenants = TenantMirror(caller: process.caller, logger: process.logger, now: process.now)
            var configuration = VerifierConfiguration()
            configuration.deviceKeysMax = process.settings[deviceKeysMax]
            let service = VerifierService(
                VerifierService.Dependencies(
                    store: store, caller: process.caller, tenants: tenants, sealer: try process.sealer(),
                    metrics: process.metrics,
                    logger: process.logger, now: process.now),
                configuration: configuration)
            return ServiceParts(
                routes: service.routes, background: [tenants, service],
                dependencies: [.store(store), .tenants(tenants)], prepare: tenants.waitUntilReady,
                close: { await store.close() })
        }
    }
}
