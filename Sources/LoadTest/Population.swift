import Authenticator
import AuthenticatorHTTP
import DeviceAPI
import Domain
import Foundation

/// Makes people with phones through the public API alone, and removes them again.
struct Population: Sendable {
    let api: PublicAPI
    let tenant: TenantID
    let administrator: [(String, String)]
    let transport: HTTPTransport
    let desk: NumberDesk

    struct Member: Sendable {
        let id: PersonID
        let phone: SimulatedPhone
    }

    /// One person: made by the administrator, signed in by a Temporary Access Pass, phone activated and set up.
    func make(_ username: String) async throws -> Member {
        let user = try await api.send(
            "POST", APIPaths.users(tenant), headers: administrator, body: UserCreation(username: username)
        )
        .decoded(UserDocument.self, expecting: 201, "create \(username)")
        let person = PersonID(user.id)
        let pass = try await api.send(
            "POST", APIPaths.temporaryAccessPass(tenant, person), headers: administrator, body: PassRequest()
        )
        .decoded(PassReply.self, expecting: 201, "pass for \(username)")
        let session = try await api.send(
            "POST", APIPaths.session(tenant),
            body: SessionRequest(username: username, temporaryAccessPass: pass.temporaryAccessPass))
        guard session.status == 200, let cookie = session.cookie else {
            throw LoadTestError(description: "session of \(username): HTTP \(session.status)")
        }
        let browser = [("Cookie", cookie)]
        let created = try await api.send("POST", APIPaths.myActivations(tenant), headers: browser)
            .decoded(ActivationCreated.self, expecting: 201, "activation of \(username)")

        let vault = MemoryVault()
        let authenticator = Authenticator(keys: vault, accounts: vault, transport: transport)
        let profile = DeviceProfile(name: "load test", platform: .cli, osVersion: "1", appVersion: "1")
        let account = try await authenticator.activate(try ActivationLink(created.activationUri), as: profile)
        let progress = try await api.send(
            "GET", APIPaths.myActivation(tenant, ActivationID(created.id)) + "?wait=10", headers: browser
        ).decoded(ActivationProgress.self, expecting: 200, "activation of \(username)")
        guard let number = progress.number else {
            throw LoadTestError(description: "activation of \(username) is \(progress.state)")
        }
        try await approveOnly(authenticator, account.id, number)
        let setup = try await authenticator.setUpPhoneSignIn(account.id, with: .activationSession)
        try await approveOnly(authenticator, account.id, setup.number)
        return Member(
            id: person,
            phone: SimulatedPhone(username: username, authenticator: authenticator, account: account.id, desk: desk))
    }

    func remove(_ member: Member) async throws {
        _ = try await api.send("DELETE", APIPaths.user(tenant, member.id), headers: administrator)
    }

    private func approveOnly(_ authenticator: Authenticator, _ account: Account.ID, _ number: String) async throws {
        guard let challenge = try await authenticator.pending(account).first else {
            throw LoadTestError(description: "the phone has no request to confirm")
        }
        guard try await authenticator.answer(challenge.shown { _ in }, with: .approve(number: number)) == .approved
        else {
            throw LoadTestError(description: "the phone could not be confirmed")
        }
    }
}
