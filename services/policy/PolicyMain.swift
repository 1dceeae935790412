import PolicyService
import ServiceKit
import Storage
import StoragePostgreSQL
import StorageSQLite
import Wire

/// The policy process: tenants, clients, the method policy and the settings.
@main
enum PolicyMain {
    static let operatorTokenFile = Setting.path(
        "policy.operatorTokenFile", default: "var/keys/operator.token",
        help: "The token that may make tenants, made at the first start; its mode must be 0600.")
    static let tokenLifetime = Setting.duration(
        "policy.tokenLifetime", default: .seconds(3600), in: .seconds(60)...Duration.seconds(86_400),
        help: "How long a token of POST /v1/{tenant}/token is good.")

    static func main() async {
        await ServiceMain.run(.policy, settings: [operatorTokenFile.key, tokenLifetime.key]) { process in
            let store: any Store<any PolicyRecords> =
                switch process.store {
                case .sqlite(let path): try SQLiteStore.policy(path: path, onCommit: process.onCommit)
                case .postgresql(let place):
                    try await PostgreSQLStore.policy(
                        place, onCommit: process.onCommit, onFailedRun: process.onFailedRun)
                }
            process.measure(store)
            let service = try PolicyService(
                PolicyService.Dependencies(
                    store: store, caller: process.caller, sealer: try process.sealer(), metrics: process.metrics,
                    logger: process.logger, now: process.now),
                configuration: PolicyConfiguration(
                    operatorTokenFile: process.settings[operatorTokenFile],
                    tokenLifetime: process.settings[tokenLifetime]))
            return ServiceParts(
                routes: service.routes, background: [service], dependencies: [.store(store)],
                close: { await store.close() })
        }
    }
}
