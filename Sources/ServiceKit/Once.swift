package import Domain
import Failpoints
package import Messaging
package import Secrets
package import Storage
import SwiftProtobuf
package import Wire

/// Runs the effect of a request at most once, and remembers its reply in the transaction of the effect.
///
/// The key is the request's id. A repeat gets the first reply; the same id with another body is refused. A body that throws leaves
/// nothing behind, so that a repeat tries again. Replies to a caller's own Idempotency-Key are kept for a day, those of a reply with
/// a secret sealed and for ten minutes, those between services for as long as anybody still repeats.
package struct Once<Records>: Sendable {
    private static var callersKeyKept: Duration { .seconds(24 * 60 * 60) }
    private static var internalKept: Duration { .seconds(15 * 60) }
    private static var secretKept: Duration { .seconds(10 * 60) }

    private let store: any Store<Records>
    private let memos: @Sendable (Records) -> any MemoRecords
    private let sealer: Sealer
    private let now: @Sendable () -> Timestamp

    package init(
        store: any Store<Records>, memos: @escaping @Sendable (Records) -> any MemoRecords, sealer: Sealer,
        now: @escaping @Sendable () -> Timestamp
    ) {
        self.store = store
        self.memos = memos
        self.sealer = sealer
        self.now = now
    }

    private enum Outcome<Reply: Sendable, Effects: Sendable>: Sendable {
        case done(Reply, Effects)
        case repeated(Memo)
    }

    /// Another execution of the same request, in another process, has committed first.
    private struct Overtaken: Error {}

    /// Throws what `body` throws, `idempotencyMismatch`, `idempotencyKeyUsed`, and the store's own errors. Nothing is committed after
    /// the call's deadline.
    package func run<Request: ServiceRequest>(
        _ request: Request, _ context: HandlerContext, holdsSecret: Bool = false,
        _ body: @escaping @Sendable (Records) throws -> Request.Reply
    ) async throws -> Request.Reply {
        try await perform(request, context, holdsSecret: holdsSecret) { (try body($0), ()) }.reply
    }

    /// As `run`, with what has to follow: of the execution that was committed, whichever others there were. Nil for a repeat, where it
    /// is the first execution's.
    package func perform<Request: ServiceRequest, Effects: Sendable>(
        _ request: Request, _ context: HandlerContext, holdsSecret: Bool = false,
        _ body: @escaping @Sendable (Records) throws -> (Request.Reply, Effects)
    ) async throws -> (reply: Request.Reply, effects: Effects?) {
        let key = try MemoKey(request, context)
        let outcome: Outcome<Request.Reply, Effects>
        do {
            outcome = try await attempt(key, holdsSecret, body)
        } catch is Overtaken {
            // Its reply is there now.
            outcome = try await attempt(key, holdsSecret, body)
        }
        switch outcome {
        case .done(let reply, let effects): return (reply, effects)
        case .repeated(let memo): return (try reply(from: memo, for: key, holdsSecret: holdsSecret), nil)
        }
    }

    /// The remembered reply when this request has had its effect, so that a repeat need not do again what precedes it (hashing a
    /// password, asking another service). Nil for a first execution. Throws as `run`.
    package func replay<Request: ServiceRequest>(
        _ request: Request, _ context: HandlerContext, holdsSecret: Bool = false
    ) async throws -> Request.Reply? {
        let key = try MemoKey(request, context)
        let memos = memos
        guard let memo = try await store.lookUp({ try memos($0).memo(key.request) }) else { return nil }
        return try reply(from: memo, for: key, holdsSecret: holdsSecret)
    }

    /// When the request had its effect; nil before.
    package func effectTime(of request: RequestID) async throws -> Timestamp? {
        let memos = memos
        guard let memo = try await store.lookUp({ try memos($0).memo(request) }) else { return nil }
        return memo.keptUntil - Self.kept(request)
    }

    private static func kept(_ request: RequestID) -> Duration {
        request.isCallersKey ? callersKeyKept : internalKept
    }

    private func attempt<Reply: Message & Sendable, Effects: Sendable>(
        _ key: MemoKey, _ holdsSecret: Bool, _ body: @escaping @Sendable (Records) throws -> (Reply, Effects)
    ) async throws -> Outcome<Reply, Effects> {
        let (memos, sealer, time) = (memos, sealer, now())
        return try await store.write(until: key.deadline) { records in
            if let memo = try memos(records).memo(key.request) {
                if Mutation.executeAgain.isMade {
                    let (reply, effects) = try body(records)
                    return .done(reply, effects)
                }
                return .repeated(memo)
            }
            let (reply, effects) = try body(records)
            let bytes: [UInt8] = try reply.serializedBytes()
            let kept = Self.kept(key.request)
            let memo = Memo(
                request: key.request, fingerprint: sealer.fingerprint(key.text),
                reply: holdsSecret ? try sealer.seal(bytes, for: key.purpose) : bytes,
                replyUntil: time + (holdsSecret ? Self.secretKept : kept), keptUntil: time + kept)
            do {
                try memos(records).insert(memo)
            } catch StorageError.alreadyExists {
                throw Overtaken()
            }
            return .done(reply, effects)
        }
    }

    private func reply<Reply: Message>(from memo: Memo, for key: MemoKey, holdsSecret: Bool) throws -> Reply {
        guard sealer.isFingerprint(memo.fingerprint, of: key.text) else {
            throw ServiceError(.idempotencyMismatch, "this key belongs to another request")
        }
        guard now() <= memo.replyUntil else {
            throw ServiceError(.idempotencyKeyUsed, "this key was used, and its reply is not kept any more")
        }
        return try Reply(serializedBytes: holdsSecret ? sealer.open(memo.reply, for: key.purpose) : memo.reply)
    }
}

/// What identifies one remembered reply.
private struct MemoKey: Sendable {
    let request: RequestID
    let deadline: ContinuousClock.Instant
    let method: Method
    /// Method and body. It may hold a password, so that only its fingerprint is kept.
    let text: [UInt8]

    init<Request: ServiceRequest>(_ request: Request, _ context: HandlerContext) throws {
        self.request = context.call.requestID
        deadline = context.call.deadline
        method = Request.method
        var options = BinaryEncodingOptions()
        // The same message has the same text, whatever order its maps are in.
        options.useDeterministicOrdering = true
        let body: [UInt8] = try request.serializedBytes(options: options)
        text = Array(method.name.utf8) + [0] + body
    }

    /// Binds a sealed reply to its request, so that one memo's bytes never open as another's.
    var purpose: String { "reply \(method.name) \(request)" }
}
