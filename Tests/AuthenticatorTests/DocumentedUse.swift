import Authenticator
import AuthenticatorHTTP
import Crypto
import Foundation

/// The code of docs/sdk.md, line by line, so that it compiles against what is public: Tests/Checks compares the two.
enum DocumentedUse {
    static func phone(
        scannedText: String, typedNumber: String, display: (ChallengeContent) -> Void, say: (AnswerOutcome) -> Void
    ) async throws {
        let vault = MemoryVault()  // on a phone: your Keychain store, see below
        let phone = Authenticator(keys: vault, accounts: vault, transport: HTTPTransport())

        let link = try ActivationLink(scannedText)  // show link.account and link.serverName, then:
        let profile = DeviceProfile(name: "Alice's phone", platform: .ios, osVersion: "18.2", appVersion: "1.0.0")
        let account = try await phone.activate(link, as: profile)

        for try await event in phone.events(account.id) {
            guard case .challenge(let challenge) = event else { continue }
            let shown = challenge.shown { content in display(content) }  // application, place, device, time
            say(try await phone.answer(shown, with: .approve(number: typedNumber, userVerified: true)))
        }
    }

    struct EnclaveKey: DeviceKey {
        let key: SecureEnclave.P256.Signing.PrivateKey
        var publicKey: Data { key.publicKey.x963Representation }
        func signature(for message: Data) async throws -> Data { try key.signature(for: message).rawRepresentation }
    }
}

#if !canImport(CryptoKit)
/// CryptoKit's, which this system does not have: a key with the same members.
enum SecureEnclave {
    enum P256 { enum Signing { typealias PrivateKey = Crypto.P256.Signing.PrivateKey } }
}
#endif
