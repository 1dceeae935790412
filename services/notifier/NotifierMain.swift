import NotifierService
import ServiceKit
import Storage
import StoragePostgreSQL
import StorageSQLite
import Wire

/// The notifier process: wakes phones.
@main
enum NotifierMain {
    static let deliveryRetention = Setting.duration(
        "notifier.deliveryRetention", default: .seconds(30 * 86_400),
        in: .seconds(3600)...Duration.seconds(400 * 86_400),
        help: "How long delivery attempts are kept.")

    static func main() async {
        await ServiceMain.run(.notifier, settings: [deliveryRetention.key] + PushKeys.all) { process in
            let store: any Store<any NotifierRecords> =
                switch process.store {
                case .sqlite(let path): try SQLiteStore.notifier(path: path, onCommit: process.onCommit)
                case .postgresql(let place):
                    try await PostgreSQLStore.notifier(
                        place, onCommit: process.onCommit, onFailedRun: process.onFailedRun)
                }
            process.measure(store)
            let tenants = TenantMirror(caller: process.caller, logger: process.logger, now: process.now)
            let sealer = try process.sealer()
            let push = PushDirectory(process, sealer)
            var configuration = NotifierConfiguration()
            configuration.deliveryRetention = process.settings[deliveryRetention]
            let service = NotifierService(
                NotifierService.Dependencies(
                    store: store, tenants: tenants, caller: process.caller, sealer: sealer,
                    metrics: process.metrics, logger: process.logger, now: process.now, drivers: push.drivers,
                    applicationServerKey: push.applicationServerKey),
                epoch: UInt64.random(in: 1...UInt64.max), configuration: configuration)
            let reload = await PushReload(push, logger: process.logger)
            // Last, because what it opens is closed by `close` alone.
            try await push.load()
            return ServiceParts(
                routes: service.routes, background: [tenants, service, reload],
                dependencies: [.store(store), .tenants(tenants)], prepare: tenants.waitUntilReady,
                close: {
                    await push.shutdown()
                    await store.close()
                })
        }
    }
}
