import DeviceAPI
import Domain
import Foundation

/// What an open event stream tells.
public enum AuthenticatorEvent: Sendable, Hashable {
    /// The stream is open: every request that is open and may ring follows.
    case connected
    case challenge(Challenge)
    /// A request needs no answer any more; `status` is the contract's word: approved, denied, expired, canceled.
    case settled(id: String, status: String)
    /// The stream is lost and will be opened again after this wait.
    case disconnected(AuthenticatorError, retryAfter: Duration)
}

extension Authenticator {
    /// A stream that ends sooner than this counts as a failure, so that one which ends at once does not make the phone spin.
    private static let healthyStream: TimeInterval = 5
    /// How many delivered requests are remembered, so that a new stream does not tell of them again.
    private static let rememberedMax = 256

    /// Follows an account's requests until the task is canceled, then returns. Opens the stream again whenever it ends, with a new
    /// proof each time, after a wait that doubles with each failure. Each request is told once. Throws what no waiting mends, such
    /// as `notAuthenticated` when the device was removed.
    public func listen(
        _ id: Account.ID, reconnect policy: ReconnectPolicy = ReconnectPolicy(),
        onEvent: @Sendable (AuthenticatorEvent) async -> Void
    ) async throws(AuthenticatorError) {
        var seen = SeenChallenges(limit: Self.rememberedMax)
        var failures = 0
        while !Task.isCancelled {
            let account = try await account(id)
            let opened = surroundings.now()
            var ended = AuthenticatorError.transport(.interrupted)
            do {
                let stream = try await openEvents(of: account)
                await onEvent(.connected)
                try await read(stream, of: account, &seen, onEvent)
            } catch {
                ended = error
            }
            if ended == .canceled || Task.isCancelled { return }
            guard ended.isTemporary else { throw ended }
            failures = surroundings.now().timeIntervalSince(opened) >= Self.healthyStream ? 1 : failures + 1
            let delay = policy.delay(failures: failures, random: random(), wish: ended.retryAfter)
            await onEvent(.disconnected(ended, retryAfter: delay))
            do { try await pause(delay) } catch { return }
        }
    }

    /// `listen` as a sequence. It ends when nobody iterates any more.
    public nonisolated func events(
        _ id: Account.ID, reconnect policy: ReconnectPolicy = ReconnectPolicy()
    ) -> AsyncThrowingStream<AuthenticatorEvent, any Error> {
        AsyncThrowingStream { continuation in
            // Unstructured because a sequence outlives the call that made it; it ends with the sequence.
            let task = Task {
                do {
                    try await self.listen(id, reconnect: policy) { continuation.yield($0) }
                    continuation.finish()
                } catch {
                    continuation.finish(throwing: error)
                }
            }
            continuation.onTermination = { _ in task.cancel() }
        }
    }

    private func openEvents(of account: Account) async throws(AuthenticatorError) -> TransportStream {
        let call = DeviceCall(method: "GET", url: account.eventsURL, accept: APIMedia.events)
        for isLast in [false, true] {
            let request = try await proven(call, of: account, at: time(at: account.server))
            let stream: TransportStream
            do {
                stream = try await transport.open(request)
            } catch {
                if Task.isCancelled { throw .canceled }
                throw .transport(error)
            }
            if stream.head.status == 200 { return stream }
            let error = AuthenticatorError(TransportResponse(head: stream.head, body: await Self.errorBody(stream)))
            guard learnTime(at: account.server, from: stream.head, error), !isLast else { throw error }
        }
        throw .clockSkew
    }

    /// The problem document of a stream that was refused.
    private static func errorBody(_ stream: TransportStream) async -> Data {
        var body = Data()
        do {
            for try await piece in stream.body {
                body.append(piece)
                if body.count > APILimits.bodyBytesMax { break }
            }
        } catch {
            // What came so far has to do: the status alone says enough.
        }
        return body
    }

    private func read(
        _ stream: TransportStream, of account: Account, _ seen: inout SeenChallenges,
        _ onEvent: @Sendable (AuthenticatorEvent) async -> Void
    ) async throws(AuthenticatorError) {
        var parser = EventParser()
        do {
            for try await piece in stream.body {
                for event in try parser.feed(piece) {
                    if let told = Self.event(event, of: account), seen.isNew(told) { await onEvent(told) }
                }
            }
        } catch let error as AuthenticatorError {
            throw error
        } catch {
            throw Task.isCancelled ? .canceled : .transport(error as? TransportError ?? .interrupted)
        }
    }

    /// Nil for an event that this version does not know or cannot read.
    private static func event(_ event: ServerSentEvent, of account: Account) -> AuthenticatorEvent? {
        let data = Data(event.data.utf8)
        switch DeviceEvent(rawValue: event.name) {
        case .challenge:
            guard let request = try? JSONDecoder().decode(PendingRequest.self, from: data),
                let challenge = try? Challenge(request, account: account)
            else { return nil }
            return .challenge(challenge)
        case .settled:
            guard let settled = try? JSONDecoder().decode(SettledEvent.self, from: data) else { return nil }
            return .settled(id: settled.id, status: settled.status.rawValue)
        case nil: return nil
        }
    }
}

/// The latest requests that were told of.
struct SeenChallenges {
    let limit: Int
    private var order: [String] = []
    private var ids: Set<String> = []

    init(limit: Int) { self.limit = limit }

    /// False for a request that was told of before; everything else is new.
    mutating func isNew(_ event: AuthenticatorEvent) -> Bool {
        guard case .challenge(let challenge) = event else { return true }
        guard ids.insert(challenge.id).inserted else { return false }
        order.append(challenge.id)
        if order.count > limit { ids.remove(order.removeFirst()) }
        return true
    }
}
