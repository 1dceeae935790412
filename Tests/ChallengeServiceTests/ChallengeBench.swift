import Domain
import Logging
import Messaging
import Secrets
import ServiceKit
import Storage
import StorageSQLite
import Synchronization
import Telemetry
import TestSupport
import Wire

@testable import ChallengeService

/// A challenge service over a real database, with everything around it in the test's hands. Nothing happens by
/// itself: a test says when deadlines are met and when the outbox delivers.
///
/// Alice is person `p1` with the device `d1`; the tenant `other` has an Alice of its own.
final class ChallengeBench: Sendable {
    static let demo = TenantID("demo")
    static let other = TenantID("other")

    let bus = DirectBus()
    let clock = HandClock()
    let bytes = SeededBytes()
    let neighbours = Neighbours()
    let sealer = Sealer.ephemeral()
    let tenants: FixedTenants
    let tally: TallyStore
    let store: FailingStore<any ChallengeRecords>
    let service: ChallengeService
    private let folder: TemporaryFolder
    private let requests = Mutex<UInt64>(0)

    init(
        configuration: ChallengeConfiguration = .init(), isShared: Bool = false,
        _ change: (inout TenantSettings) -> Void = { _ in }
    ) throws {
        var settings = TenantSettings()
        change(&settings)
        tenants = FixedTenants(
            TenantView(id: Self.demo, name: "Demo", settings: settings), TenantView(id: Self.other, name: "Other"))
        folder = try TemporaryFolder()
        tally = TallyStore(
            try SQLiteStore<any ChallengeRecords>.challenge(path: folder.file("challenge.db")), isShared: isShared)
        store = FailingStore(tally)
        service = ChallengeService(
            Self.given(store, bus, tenants, sealer, clock, bytes), configuration: configuration)
        bus.add(Self.observed(service))
        bus.add(neighbours.registration)
        bus.add(neighbours.verifier)
        bus.add(neighbours.notifier)
        neighbours.add("alice", id: "p1", devices: [Neighbours.device("d1", of: "p1")])
        neighbours.add("alice", id: "q1", devices: [Neighbours.device("e1", of: "q1")], tenant: Self.other)
    }

    /// Another process over the same store, as after a restart; the bus sends to it from now on when `answers`.
    func another(answers: Bool = true) -> ChallengeService {
        let another = ChallengeService(Self.given(store, bus, tenants, sealer, clock, bytes))
        if answers { bus.add(Self.observed(another)) }
        return another
    }

    private static func given(
        _ store: any Store<any ChallengeRecords>, _ bus: DirectBus, _ tenants: FixedTenants, _ sealer: Sealer,
        _ clock: HandClock, _ bytes: SeededBytes
    ) -> ChallengeService.Dependencies {
        var given = ChallengeService.Dependencies(
            store: store, caller: bus.caller(.challenge), tenants: tenants, sealer: sealer, metrics: MetricsRegistry(),
            logger: silent)
        given.now = { clock.now }
        given.randomBytes = { bytes.next($0) }
        return given
    }

    /// As its process serves it: failures of the store become codes.
    private static func observed(_ service: ChallengeService) -> Routes {
        service.routes.observed(MetricsRegistry(), silent)
    }

    private static var silent: Logger { Logger(label: "test") { _ in SwiftLogNoOpLogHandler() } }

    // MARK: time

    var now: Timestamp { clock.now }

    /// Moves the clock and does what has become due.
    func elapse(_ duration: Duration) async {
        clock.advance(duration)
        await service.meetDeadlines()
    }

    /// Tries once what the outbox has due now.
    func deliver() async { await service.outbox.deliverDue() }

    // MARK: what is kept

    func record(_ id: String, tenant: TenantID = demo) async throws -> ChallengeRecord? {
        try await store.read { try $0.challenge(ChallengeID(id), tenant: tenant) }
    }

    func line(_ id: String) async throws -> SignInRecord? { try await store.read { try $0.signIn(ChallengeID(id)) } }

    /// Everything in the outbox, whenever it is due.
    func outbox() async throws -> [OutboxRecord] {
        try await store.read { records in
            try OutboxRecord.Receiver.allCases.flatMap {
                try records.dueMessages(for: $0, at: Timestamp(seconds: 1 << 40), limit: 10_000)
            }
        }
    }

    func budget(_ person: String = "p1") async throws -> RequestBudget {
        try await store.read { try $0.budget(tenant: Self.demo, person: PersonID(person)) } ?? RequestBudget()
    }

    // MARK: asking

    func context(_ id: RequestID? = nil) -> CallContext {
        let number = requests.withLock { count in
            count += 1
            return count
        }
        let id = id ?? RequestID(high: 7 << 12, low: number)
        return CallContext(requestID: id, originID: id, deadline: .now + .seconds(60))
    }

    /// An id as a caller's own Idempotency-Key makes it.
    func key(_ text: String) -> RequestID { RequestID(idempotencyDigest: sha256(Array(text.utf8))) }

    func call<Request: ServiceRequest>(
        _ request: Request, from caller: ServiceName = .gateway, id: RequestID? = nil
    ) async throws(ServiceError) -> Request.Reply {
        try await bus.caller(caller).call(request, context(id))
    }

    /// What a call is refused with; nil when it is not.
    func refusal<Reply>(_ body: () async throws -> Reply) async -> ServiceError? {
        do {
            _ = try await body()
            return nil
        } catch {
            return ServiceError(cause: error)
        }
    }
}
