import DeviceAPI
import Domain
public import Foundation

/// What proves that the person may set up phone sign-in. It never prints.
public enum PhoneSignInCredential: Sendable, CustomStringConvertible, CustomReflectable {
    case password(String)
    case temporaryAccessPass(String)
    /// Where this phone was activated in a session that a Temporary Access Pass opened, that pass counts.
    case activationSession

    public var description: String { "phone sign-in credential" }
    public var customMirror: Mirror { Mirror(self, children: []) }
}

/// Phone sign-in waits for its confirmation.
public struct PhoneSignInSetup: Sendable, Hashable {
    /// The id of the request that now is among `pending`.
    public let challengeID: String
    /// The number to show to the person, and to answer that request with.
    public let number: String
}

/// How it is with phone sign-in at the server, and what a set-up would meet there.
public struct PhoneSignInStatus: Sendable, Hashable {
    public let isEnabled: Bool
    public let enabledAt: Date?
    /// What `setUpPhoneSignIn` would throw now, whatever the person shows: `refused` by the policy, `singleTenant`, or `updateRequired`,
    /// here without the version. Nil where nothing is in the way, and from a server that does not tell.
    public let setUpRefusal: AuthenticatorError?
    /// Whether a set-up needs a password or a pass. False from a server that does not tell, too: ask for one where
    /// `.activationSession` turns out to be `invalidCredentials`.
    public let needsCredential: Bool
}

extension Authenticator {
    /// Begins to set up phone sign-in: shows the number, and the request of purpose `phoneSignInSetup` is answered with it. Throws
    /// `singleTenant`, `refused`, `tooManyAttempts`.
    public func setUpPhoneSignIn(_ id: Account.ID, with credential: PhoneSignInCredential)
        async throws(AuthenticatorError) -> PhoneSignInSetup
    {
        let account = try await account(id)
        let body =
            switch credential {
            case .password(let password): PhoneSignInRequest(password: password)
            case .temporaryAccessPass(let pass): PhoneSignInRequest(temporaryAccessPass: pass)
            case .activationSession: PhoneSignInRequest()
            }
        let reply = try await call(
            DeviceCall(method: "POST", url: account.phoneSignInURL, body: Self.encode(body)), of: account)
        let started = try Self.decode(PhoneSignInStarted.self, reply)
        return PhoneSignInSetup(challengeID: started.challengeId, number: started.number.plain)
    }

    /// Asks the server whether phone sign-in is on, remembers that, and tells what a set-up would meet: offer it accordingly.
    public func phoneSignInStatus(_ id: Account.ID) async throws(AuthenticatorError) -> PhoneSignInStatus {
        let account = try await account(id)
        let reply = try await call(DeviceCall(method: "GET", url: account.phoneSignInURL), of: account)
        let state = try Self.decode(PhoneSignInState.self, reply)
        try await update(id) { account in
            account.phoneSignIn = state.enabled
            // A device that awaits confirmation is not answered here.
            account.state = .active
        }
        return PhoneSignInStatus(
            isEnabled: state.enabled, enabledAt: state.createdDateTime.map { Date($0) },
            setUpRefusal: state.refusal.map { AuthenticatorError(code: $0, status: 403) },
            needsCredential: state.needsCredential ?? false)
    }

    /// Turns phone sign-in off; the account stays for second-factor requests and codes.
    public func disablePhoneSignIn(_ id: Account.ID) async throws(AuthenticatorError) {
        let account = try await account(id)
        _ = try await call(DeviceCall(method: "DELETE", url: account.phoneSignInURL), of: account)
        try await update(id) { $0.phoneSignIn = false }
    }

    /// Tells the server what changed: a new push address, a name, a version after an update.
    public func update(_ id: Account.ID, to change: DeviceUpdate) async throws(AuthenticatorError) {
        let account = try await account(id)
        _ = try await call(
            DeviceCall(method: "PATCH", url: account.deviceURL, body: Self.encode(change.body)), of: account)
        if let name = change.name { try await update(id) { $0.deviceName = name } }
    }

    /// Removes this device at the server, then the account here. A device that the server no longer knows is removed here too.
    public func remove(_ id: Account.ID) async throws(AuthenticatorError) {
        let account = try await account(id)
        do {
            _ = try await call(DeviceCall(method: "DELETE", url: account.deviceURL), of: account)
        } catch  where error == .notAuthenticated || error == .notFound {
            // Removed there before: what is left is ours.
        }
        try await forget(id)
    }

    /// Removes the account here only, and its key when no other account uses it: for a server that is gone.
    public func forget(_ id: Account.ID) async throws(AuthenticatorError) {
        let account = try await account(id)
        try await update { $0.removeAll { $0.id == id } }
        let keyIsUsed = try await accounts().contains { $0.key == account.key }
        if !keyIsUsed {
            do { try await keys.removeKey(account.key) } catch { throw .storeUnavailable }
        }
    }
}
