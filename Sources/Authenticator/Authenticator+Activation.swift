import DeviceAPI
import Domain
import Foundation
import Proofs

extension Authenticator {
    /// Which key an activation uses.
    public enum KeyChoice: Sendable, Hashable {
        /// The phone's one key. What a tenant allows once a phone ("one account in one tenant") is counted by it.
        case shared
        /// A key of its own.
        case own
    }

    /// Activates this phone for the person who was shown the QR code. The account is kept and awaits confirmation: show the
    /// person the request of purpose `registration` that `pending` now has, and answer it with the number on the web page.
    ///
    /// After an interrupted attempt, the same link can be used again: with the shared key the server repeats its first reply.
    /// Throws `refused`, `ticketUsed`, `expired`, `tooManyDevices`, `updateRequired`; `invalidActivationLink` for a server
    /// without TLS that is not this machine.
    public func activate(
        _ link: ActivationLink, as profile: DeviceProfile, push: PushAddress? = nil, key choice: KeyChoice = .shared
    ) async throws(AuthenticatorError) -> Account {
        guard allowsPlainHTTP || !link.isExposed else { throw .invalidActivationLink }
        let key: any DeviceKey
        do { key = choice == .shared ? try await keys.sharedKey() : try await keys.makeKey() } catch {
            throw .keyUnavailable
        }
        let signer = try KeySigner(key)
        do {
            let reply = try await register(link, as: profile, push: push, signer: signer)
            return try await keep(reply, link, name: profile.name, key: KeyID(signer.publicKey.thumbprint))
        } catch {
            if choice == .own { try? await keys.removeKey(KeyID(signer.publicKey.thumbprint)) }
            throw error
        }
    }

    private func register(
        _ link: ActivationLink, as profile: DeviceProfile, push: PushAddress?, signer: KeySigner
    ) async throws(AuthenticatorError) -> ActivationReply {
        let reply = try await exchange(with: link.server) {
            (time) async throws(AuthenticatorError) -> TransportRequest in
            let claims = ActivationClaims(
                audience: "\(link.server)/\(link.tenant)", ticket: link.ticket, issuedAt: time)
            let proof: String
            do { proof = try await claims.signed(by: signer) } catch { throw .keyUnavailable }
            let body = ActivationRequest(ticket: link.ticket, proof: proof, device: profile.body, push: push?.body)
            let url = link.server + APIPaths.devices(TenantID(link.tenant))
            return Self.request(DeviceCall(method: "POST", url: url, body: Self.encode(body)))
        }
        return try Self.decode(ActivationReply.self, reply)
    }

    private func keep(
        _ reply: ActivationReply, _ link: ActivationLink, name: String, key: KeyID
    ) async throws(AuthenticatorError) -> Account {
        guard reply.tenant.id == link.tenant, !reply.deviceId.isEmpty else { throw .unexpectedReply }
        let account = Account(
            id: Account.ID(reply.deviceId), server: link.server, tenant: link.tenant,
            tenantName: reply.tenant.name.plain,
            issuer: link.issuer, username: reply.user.username.plain, displayName: reply.user.displayName.plain,
            activatedAt: surroundings.now(), key: key,
            offlineCode: try OfflineCodeParameters(
                secret: reply.offlineCode.secret, algorithm: reply.offlineCode.algorithm.rawValue,
                digits: reply.offlineCode.digits,
                period: reply.offlineCode.period),
            state: reply.state == .active ? .active : .awaitingConfirmation, deviceName: name, phoneSignIn: false)
        try await update { accounts in
            // The repeat of an activation whose first reply was lost names the same device.
            if let index = accounts.firstIndex(where: { $0.id == account.id }) {
                accounts[index] = account
            } else {
                accounts.append(account)
            }
        }
        return account
    }
}
