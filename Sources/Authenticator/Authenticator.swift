// The phone, as a library: accounts, requests and answers, phone sign-in, offline codes.
//
// Owns: what a phone decides and signs, how it reads the server, and what it keeps. Must not know: HTTP (`Transport`), where
// secrets are kept (`KeyStore`, `AccountStore`), or how anything looks. Runs on iOS, macOS and Linux. Start reading here, then
// `Challenge` and `Authenticator+Answers`.

import Domain
public import Foundation
import Proofs

/// A phone: every account on it, over one transport. One instance an app.
public actor Authenticator {
    /// What an authenticator takes from its surroundings, so that a test can stand in for all of it.
    public struct Surroundings: Sendable {
        public var now: @Sendable () -> Date
        /// Waits; returns early by throwing when the task is canceled.
        public var pause: @Sendable (Duration) async throws -> Void
        public var randomBytes: @Sendable (Int) -> [UInt8]

        public init(
            now: @escaping @Sendable () -> Date = { Date() },
            pause: @escaping @Sendable (Duration) async throws -> Void = { try await Task.sleep(for: $0) },
            randomBytes: @escaping @Sendable (Int) -> [UInt8] = { count in
                var generator = SystemRandomNumberGenerator()
                return (0..<count).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
            }
        ) {
            self.now = now
            self.pause = pause
            self.randomBytes = randomBytes
        }
    }

    let keys: any KeyStore
    let store: any AccountStore
    let transport: any Transport
    let surroundings: Surroundings
    /// Whether servers other than this machine may be spoken to without TLS: for tests in closed networks only.
    let allowsPlainHTTP: Bool
    /// How far each server's clock is ahead of this phone's, learned when a server refused a proof for it.
    private var clockOffsets: [String: Duration] = [:]
    /// Answers that were signed but not confirmed: their repeat must be the same bytes.
    var unconfirmedAnswers: [String: UnconfirmedAnswer] = [:]

    public init(
        keys: any KeyStore, accounts: any AccountStore, transport: any Transport, allowsPlainHTTP: Bool = false,
        surroundings: Surroundings = Surroundings()
    ) {
        self.keys = keys
        store = accounts
        self.transport = transport
        self.allowsPlainHTTP = allowsPlainHTTP
        self.surroundings = surroundings
    }

    /// All accounts, in the order in which they were added.
    public func accounts() async throws(AuthenticatorError) -> [Account] {
        do { return try await store.accounts() } catch { throw .storeUnavailable }
    }

    /// One account. Throws `unknownAccount`.
    public func account(_ id: Account.ID) async throws(AuthenticatorError) -> Account {
        guard let account = try await accounts().first(where: { $0.id == id }) else { throw .unknownAccount }
        return account
    }

    /// The account's offline code, now or at `time`. Needs no network.
    public func offlineCode(_ id: Account.ID, at time: Date? = nil) async throws(AuthenticatorError) -> OfflineCode {
        try await account(id).offlineCode.code(at: time ?? surroundings.now())
    }

    func update(_ change: @escaping @Sendable (inout [Account]) -> Void) async throws(AuthenticatorError) {
        do { try await store.update(change) } catch { throw .storeUnavailable }
    }

    func update(_ id: Account.ID, _ change: @escaping @Sendable (inout Account) -> Void)
        async throws(AuthenticatorError)
    {
        try await update { accounts in
            if let index = accounts.firstIndex(where: { $0.id == id }) { change(&accounts[index]) }
        }
    }

    func signer(of account: Account) async throws(AuthenticatorError) -> KeySigner {
        let key: (any DeviceKey)?
        do { key = try await keys.key(account.key) } catch { throw .keyUnavailable }
        guard let key else { throw .keyUnavailable }
        return try KeySigner(key)
    }

    // MARK: the server's clock

    func time(at server: String) -> Timestamp {
        Timestamp(surroundings.now()) + (clockOffsets[server] ?? .zero)
    }

    /// Whether the reply refused a proof for its time and says what time it is: then the next proof is made for that.
    func learnTime(at server: String, from head: TransportHead, _ error: AuthenticatorError) -> Bool {
        guard error == .clockSkew, head.status == 401, let date = head["Date"].flatMap(HTTPDate.parse) else {
            return false
        }
        clockOffsets[server] = date - Timestamp(surroundings.now())
        return true
    }
}
