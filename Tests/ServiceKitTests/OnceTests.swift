import Domain
import Messaging
import Secrets
import Storage
import StorageSQLite
import SwiftProtobuf
import Synchronization
import TestSupport
import Testing
import Wire

@testable import ServiceKit

@Suite final class OnceTests: Sendable {
    private struct Refused: Error {}

    private static let internalID = RequestID(milliseconds: 5, random: (1, 2))
    private static let callersKey = RequestID(idempotencyDigest: [UInt8](repeating: 3, count: 32))

    private let folder: TemporaryFolder
    private let store: FailingStore<any VerifierRecords>
    private let time = Mutex(Timestamp(seconds: 1_000))
    private let runCount = Mutex(0)
    private var runs: Int { runCount.withLock(\.self) }
    private let sealer = Sealer.ephemeral()

    init() throws {
        folder = try TemporaryFolder()
        store = FailingStore(try SQLiteStore<any VerifierRecords>.verifier(path: folder.file("once.sqlite")))
    }

    private var once: Once<any VerifierRecords> {
        Once(store: store, memos: { $0 }, sealer: sealer, now: { self.time.withLock(\.self) })
    }

    private func pass(_ duration: Duration) { time.withLock { $0 = $0 + duration } }

    private func context(_ id: RequestID, within patience: Duration = .seconds(5)) -> HandlerContext {
        HandlerContext(caller: .gateway, call: CallContext(requestID: id, originID: id, deadline: .now + patience))
    }

    private func run(
        _ id: RequestID, tenant: String = "demo", holdsSecret: Bool = false, within patience: Duration = .seconds(5)
    ) async throws -> String {
        let request = IssueToken.with { $0.tenant = tenant }
        return try await once.run(request, context(id, within: patience), holdsSecret: holdsSecret) { _ in
            let number = self.runCount.withLock { runs in
                runs += 1
                return runs
            }
            return IssueTokenReply.with { $0.token = "token \(number)" }
        }.token
    }

    @Test("a repeat gets the first reply and runs nothing", arguments: [internalID, callersKey], [false, true])
    func repeated(id: RequestID, holdsSecret: Bool) async throws {
        for _ in 0..<3 { #expect(try await run(id, holdsSecret: holdsSecret) == "token 1") }
        #expect(runs == 1)
    }

    @Test("of many repeats at once one runs, and all get its reply")
    func concurrent() async throws {
        try await withThrowingTaskGroup(of: String.self) { group in
            for _ in 0..<100 { group.addTask { try await self.run(Self.internalID) } }
            for try await token in group { #expect(token == "token 1") }
        }
        #expect(runs == 1)
    }

    @Test("an execution that was overtaken has no effects: its caller gets the other's reply")
    func overtaken() async throws {
        let request = IssueToken.with { $0.tenant = "demo" }
        let overtaken = OvertakenStore(store: store) { _ = try await self.run(Self.callersKey) }
        let once = Once<any VerifierRecords>(
            store: overtaken, memos: { $0 }, sealer: sealer, now: { Timestamp(seconds: 1_000) })
        let (reply, effects) = try await once.perform(request, context(Self.callersKey)) { _ in
            (IssueTokenReply.with { $0.token = "mine" }, "effect")
        }
        #expect(reply.token == "token 1" && effects == nil)
        let first = try await self.once.perform(request, context(Self.internalID)) { _ in
            (IssueTokenReply(), "effect")
        }
        #expect(first.effects == "effect")
    }

    @Test("a commit of which nobody knows is unknown to the caller, and the identical repeat gets its reply")
    func unknownOutcome() async throws {
        store.fail(.afterCommit, writes: 1)
        let error = await #expect(throws: StorageError.self) { try await self.run(Self.internalID) }
        #expect(error == .unknown)
        #expect(ServiceError(cause: StorageError.unknown).isOutcomeUnknown)
        #expect(!ServiceError(cause: StorageError.unavailable).isOutcomeUnknown)
        #expect(try await run(Self.internalID) == "token 1")
        #expect(runs == 1)
    }

    @Test("nothing is committed for a caller that waits no more, and its repeat is the first execution")
    func late() async throws {
        let error = await #expect(throws: StorageError.self) { try await self.run(Self.internalID, within: .zero) }
        #expect(error == .unavailable)
        let memo = try await store.read { try $0.memo(Self.internalID) }
        #expect(memo == nil)
        #expect(try await run(Self.internalID) == "token 2")
    }

    @Test("the same id with another body is refused")
    func mismatch() async throws {
        _ = try await run(Self.callersKey)
        let error = await #expect(throws: ServiceError.self) { try await self.run(Self.callersKey, tenant: "other") }
        #expect(error?.code == .idempotencyMismatch)
        #expect(try await run(Self.internalID, tenant: "other") == "token 2")
    }

    @Test("a reply with a secret is kept sealed, for ten minutes; after that its key is used up")
    func secretReply() async throws {
        #expect(try await run(Self.callersKey, holdsSecret: true) == "token 1")
        let memo = try await store.read { try $0.memo(Self.callersKey) }
        #expect(memo.map { !String(decoding: $0.reply, as: UTF8.self).contains("token") } == true)
        #expect(memo?.keptUntil == Timestamp(seconds: 1_000 + 86_400))
        pass(.seconds(600))
        #expect(try await run(Self.callersKey, holdsSecret: true) == "token 1")
        pass(.milliseconds(1))
        let error = await #expect(throws: ServiceError.self) { try await self.run(Self.callersKey, holdsSecret: true) }
        #expect(error?.code == .idempotencyKeyUsed)
        #expect(runs == 1)
    }

    @Test("replies are remembered for a day for a caller's key, and a quarter of an hour between services")
    func retention() async throws {
        _ = try await run(Self.callersKey)
        _ = try await run(Self.internalID)
        let kept = try await store.read {
            [try $0.memo(Self.callersKey)?.keptUntil, try $0.memo(Self.internalID)?.keptUntil]
        }
        #expect(kept == [Timestamp(seconds: 1_000 + 86_400), Timestamp(seconds: 1_000 + 900)])
    }

    @Test("a body that throws leaves no trace, and neither does a commit that fails")
    func failures() async throws {
        await #expect(throws: Refused.self) {
            try await self.once.run(IssueToken(), self.context(Self.internalID)) { _ in throw Refused() }
        }
        for fault in [FailingStore<any VerifierRecords>.Fault.beforeBody, .atCommit] {
            store.fail(fault, writes: 1)
            await #expect(throws: StorageError.unavailable) { try await self.run(Self.internalID) }
        }
        #expect(try await run(Self.internalID) == "token 2")
        #expect(try await run(Self.internalID) == "token 2")
    }

    @Test("a sealed reply opens for its own request alone")
    func sealedReplyIsBound() async throws {
        _ = try await run(Self.callersKey, holdsSecret: true)
        try await store.write { records in
            guard let memo = try records.memo(Self.callersKey) else { throw Refused() }
            try records.insert(
                Memo(
                    request: Self.internalID, fingerprint: memo.fingerprint, reply: memo.reply,
                    replyUntil: memo.replyUntil,
                    keptUntil: memo.keptUntil))
        }
        await #expect(throws: SecretsError.notGenuine) { try await self.run(Self.internalID, holdsSecret: true) }
    }
}

/// A store whose transaction another one overtakes: the body's first run is undone, and it runs again after that one.
private struct OvertakenStore: Store {
    private struct Undone: Error {}

    let store: any Store<any VerifierRecords>
    let overtake: @Sendable () async throws -> Void

    func write<Result: Sendable>(
        until deadline: ContinuousClock.Instant?, _ body: @escaping @Sendable (any VerifierRecords) throws -> Result
    ) async throws -> Result {
        do {
            return try await store.write(until: deadline) { records in
                _ = try body(records)
                throw Undone()
            }
        } catch is Undone {
            try await overtake()
            return try await store.write(until: deadline, body)
        }
    }

    func read<Result: Sendable>(_ body: @escaping @Sendable (any VerifierRecords) throws -> Result) async throws
        -> Result
    {
        try await store.read(body)
    }

    func announce(_ word: String) { store.announce(word) }
    var announcements: AsyncStream<StoreAnnouncement>? { store.announcements }
    var waiting: Int { store.waiting }
    func check() async throws { try await store.check() }
    func close() async { await store.close() }
}
