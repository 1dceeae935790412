import ChallengeService
import ServiceKit
import Storage
import StoragePostgreSQL
import StorageSQLite
import Wire

/// The challenge process: requests, their outcome and the sign-in log.
@main
enum ChallengeMain {
    static let signInLogKept = Setting.duration(
        "challenge.signInLogKept", default: .seconds(400 * 86_400),
        in: .seconds(86_400)...Duration.seconds(3650 * 86_400),
        help: "How long a line of the sign-in log is kept.")
    static let settledKept = Setting.duration(
        "challenge.settledKept", default: .seconds(86_400), in: .seconds(3600)...Duration.seconds(30 * 86_400),
        help: "How long a settled request is kept with its receipt.")
    static let waitersMax = Setting.number(
        "challenge.waitersMax", default: 100_000, in: 1...1_000_000,
        help: "Waits for an outcome that may be parked at the same time; more are refused as overloaded.")

    static func main() async {
        await ServiceMain.run(.challenge, settings: [signInLogKept.key, settledKept.key, waitersMax.key]) { process in
            let store: any Store<any ChallengeRecords> =
                switch process.store {
                case .sqlite(let path): try SQLiteStore.challenge(path: path, onCommit: process.onCommit)
                case .postgresql(let place):
                    try await PostgreSQLStore.challenge(
                        place, onCommit: process.onCommit, onFailedRun: process.onFailedRun)
                }
            process.measure(store)
            let tenants = TenantMirror(caller: process.caller, logger: process.logger, now: process.now)
            var configuration = ChallengeConfiguration()
            configuration.signInLogKept = process.settings[signInLogKept]
            configuration.settledKept = process.settings[settledKept]
            configuration.waitersMax = process.settings[waitersMax]
            let service = ChallengeService(
                ChallengeService.Dependencies(
                    store: store, caller: process.caller, tenants: tenants, sealer: try process.sealer(),
                    metrics: process.metrics, logger: process.logger),
                configuration: configuration)
            return ServiceParts(
                routes: service.routes, background: [tenants, service],
                dependencies: [.store(store), .tenants(tenants)], prepare: tenants.waitUntilReady,
                close: { await store.close() })
        }
    }
}
