import Authenticator
import DeviceAPI
import Domain
import Foundation
import Proofs
import Synchronization
import TestSupport
import Testing

/// A simulated phone: the Authenticator library, with a clock of its own that may be wrong.
final class Phone: Sendable {
    let vault: MemoryVault
    let wire: RecordingTransport
    let authenticator: Authenticator
    let profile: DeviceProfile

    init(
        _ stack: FlowStack, vault: MemoryVault = MemoryVault(), clockOff: Duration = .zero,
        profile: DeviceProfile = DeviceProfile(name: "Phone", platform: .ios, osVersion: "17.2", appVersion: "1.0.0")
    ) {
        self.vault = vault
        self.profile = profile
        wire = RecordingTransport(stack.web)
        let clock = stack.clock
        authenticator = Authenticator(
            keys: vault, accounts: vault, transport: wire,
            surroundings: .init(
                now: { Date(timeIntervalSince1970: Double((clock.now + clockOff).milliseconds) / 1000) }))
    }

    /// The key, for what the library would not sign.
    func signer() async throws -> SoftwareDeviceSigner {
        let key = try #require(await vault.sharedKey() as? SoftwareKey)
        return try SoftwareDeviceSigner(rawRepresentation: Array(key.privateKey))
    }

    func activate(_ activation: ActivationCreated) async throws -> Account {
        try await authenticator.activate(ActivationLink(activation.activationUri), as: profile)
    }

    /// The whole of J3 for a person with a session.
    @discardableResult
    func register(in browser: Browser) async throws -> Account.ID {
        let activation = try await browser.newActivation()
        let account = try await activate(activation)
        let number = try #require(try await browser.progress(activation, wait: 25).number)
        let request = try #require(try await authenticator.pending(account.id).first)
        #expect(request.purpose == .registration)
        #expect(try await approve(request, number) == .approved)
        return account.id
    }

    /// The whole of J4.
    func setUpPhoneSignIn(_ account: Account.ID, with credential: PhoneSignInCredential) async throws {
        let setup = try await authenticator.setUpPhoneSignIn(account, with: credential)
        let request = try await challenge(setup.challengeID, account)
        #expect(request.purpose == .phoneSignInSetup)
        #expect(try await approve(request, setup.number) == .approved)
    }

    func pendingIDs(_ account: Account.ID) async throws -> [String] {
        try await authenticator.pending(account).map(\.id)
    }

    func challenge(_ id: String, _ account: Account.ID) async throws -> Challenge {
        try #require(try await authenticator.pending(account).first { $0.id == id })
    }

    func approve(_ request: Challenge, _ number: String) async throws -> AnswerOutcome {
        let shown = request.shown { _ in }
        return try await authenticator.answer(shown, with: .approve(number: number))
    }

    /// Approves what an application or a session asked for, by the number that its page shows.
    @discardableResult
    func approve(_ request: SignInReply, _ account: Account.ID) async throws -> AnswerOutcome {
        try await approve(try await challenge(request.id, account), request.number)
    }

    func code(_ account: Account.ID, in time: Duration = .zero, on stack: FlowStack) async throws -> String {
        let at = Date(timeIntervalSince1970: Double((stack.clock.now + time).milliseconds) / 1000)
        return try await authenticator.offlineCode(account, at: at).code
    }
}

extension AuthenticatorEvent {
    var challenge: Challenge? { if case .challenge(let challenge) = self { challenge } else { nil } }
}
