import Domain
import Foundation
import Logging
import Messaging
import NotifierService
import Secrets
import ServiceKit
import Storage
import StorageSQLite
import SwiftProtobuf
import Synchronization
import Telemetry
import Wire

/// A whole notifier in this process, over a database in a folder of its own.
struct LoadedNotifier: Sendable {
    let service: NotifierService
    private let store: SQLiteStore<any NotifierRecords>
    private let folder: URL

    init(_ driver: CountingDriver) throws {
        folder = FileManager.default.temporaryDirectory.appending(
            path: "push-load-\(ProcessInfo.processInfo.processIdentifier)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        store = try .notifier(path: folder.appending(path: "notifier.sqlite").path)
        service = NotifierService(
            NotifierService.Dependencies(
                store: store, tenants: Nobody(), caller: Nobody(),
                sealer: try Sealer(keyFile: folder.appending(path: "sealing.key").path), metrics: MetricsRegistry(),
                logger: Logger(label: "push-load") { _ in SwiftLogNoOpLogHandler() }, now: WallClock.now,
                drivers: [driver]),
            epoch: 1)
    }

    /// As challenge asks for one request with one phone.
    func ask() async throws {
        let request = Notify.with {
            $0.tenant = Nobody.tenant.rawValue
            $0.challengeID = Nobody.id()
            $0.event = DeviceEvent.challenge.rawValue
            $0.expiresAtMs = (WallClock.now() + .seconds(60)).milliseconds
            $0.targets = [
                .with {
                    $0.deviceID = "device"
                    $0.push = .with {
                        $0.transport = "apns"
                        $0.address = Data(Nobody.address())
                    }
                }
            ]
        }
        let id = RequestID.make(at: WallClock.now())
        let context = CallContext(requestID: id, originID: id, deadline: .now + .seconds(60))
        let body: [UInt8] = try request.serializedBytes()
        _ = try await service.routes.handlers[Notify.method.id]?.handle(
            body, HandlerContext(caller: .challenge, call: context))
    }

    func close() async {
        await store.close()
        // A folder that is left behind harms nobody.
        try? FileManager.default.removeItem(at: folder)
    }
}

/// The tenant, and the registration, of phones that do not exist.
struct Nobody: Tenants, ServiceCaller {
    static let tenant = TenantID("load")

    static func id() -> String { UUID().uuidString }
    static func address() -> [UInt8] {
        let token = (0..<4).map { _ in UInt64.random(in: .min ... .max).hexadecimal }
        return Array(#"{"token":"\#(token.joined())"}"#.utf8)
    }

    func tenant(_ id: TenantID) throws(ServiceError) -> TenantView { TenantView(id: id, name: "Load") }

    func call<Request: ServiceRequest>(_ request: Request, _ context: CallContext) async throws(ServiceError)
        -> Request.Reply
    {
        throw ServiceError(.unavailable, "there is no registration")
    }

    func call<Request: ServiceRequest>(_ request: Request, at instance: InstanceID, _ context: CallContext)
        async throws(ServiceError) -> Request.Reply
    {
        throw ServiceError(.unavailable, "there is no registration")
    }

    func instances(of service: ServiceName) -> AsyncStream<Set<InstanceID>> { AsyncStream { $0.finish() } }
}

enum WallClock {
    static let now: @Sendable () -> Timestamp = {
        Timestamp(milliseconds: Int64(Date().timeIntervalSince1970 * 1000))
    }
}

enum Memory {
    /// What of this process is in memory (`/proc/self/statm`, proc(5)).
    static var residentMegabytes: Int {
        let fields = (try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8))?.split(separator: " ") ?? []
        return (fields.count > 1 ? Int(fields[1]) ?? 0 : 0) * Int(sysconf(Int32(_SC_PAGESIZE))) / 1_048_576
    }
}

/// A driver whose outcomes are counted.
final class CountingDriver: PushDriver {
    let transport: PushTransport
    private let driver: any PushDriver
    private let counts = Mutex<[String: Int]>([:])

    init(_ driver: any PushDriver) {
        transport = driver.transport
        self.driver = driver
    }

    func count(_ label: String) -> Int { counts.withLock { $0[label] ?? 0 } }
    var summary: String {
        counts.withLock { $0.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }.joined(separator: ", ") }
    }

    func send(_ wakeUp: WakeUp, to address: Redacted<[UInt8]>) async -> PushReport {
        let report = await driver.send(wakeUp, to: address)
        counts.withLock { $0[report.outcome.label, default: 0] += 1 }
        return report
    }
}
