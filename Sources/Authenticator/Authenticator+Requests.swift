import DeviceAPI
import Domain
import Foundation
import Proofs

/// One call of the device API.
struct DeviceCall: Sendable {
    let method: String
    let url: String
    var body: Data?
    var accept = APIMedia.json
}

extension Authenticator {
    /// How long one exchange may take.
    static let exchangeTimeout = Duration.seconds(15)
    /// `jti`: 128 random bits.
    private static let proofIdentifierBytes = 16

    static func encode(_ body: some Encodable) -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        guard let data = try? encoder.encode(body) else { preconditionFailure("a body of the contract can be encoded") }
        return data
    }

    static func decode<Body: Decodable>(_ type: Body.Type, _ reply: TransportResponse) throws(AuthenticatorError)
        -> Body
    {
        do { return try JSONDecoder().decode(type, from: reply.body) } catch { throw .unexpectedReply }
    }

    /// A call that a device proof authenticates.
    func call(_ call: DeviceCall, of account: Account) async throws(AuthenticatorError) -> TransportResponse {
        try await exchange(with: account.server) { (time) async throws(AuthenticatorError) -> TransportRequest in
            try await self.proven(call, of: account, at: time)
        }
    }

    /// Sends what `make` makes for the server's time; once more when the server says that this phone's clock is wrong. Throws for
    /// every reply that is not a success.
    func exchange(
        with server: String, _ make: (Timestamp) async throws(AuthenticatorError) -> TransportRequest
    ) async throws(AuthenticatorError) -> TransportResponse {
        for isLast in [false, true] {
            let reply = try await send(try await make(time(at: server)))
            if (200..<300).contains(reply.head.status) { return reply }
            let error = AuthenticatorError(reply)
            guard learnTime(at: server, from: reply.head, error), !isLast else { throw error }
        }
        throw .clockSkew
    }

    func send(_ request: TransportRequest) async throws(AuthenticatorError) -> TransportResponse {
        do {
            return try await transport.send(request)
        } catch {
            if Task.isCancelled { throw .canceled }
            throw .transport(error)
        }
    }

    /// The request with a fresh proof: its `jti` is used once.
    func proven(_ call: DeviceCall, of account: Account, at time: Timestamp) async throws(AuthenticatorError)
        -> TransportRequest
    {
        let signer = try await signer(of: account)
        let claims = DeviceProofClaims(
            method: call.method, url: call.url, issuedAt: time,
            identifier: surroundings.randomBytes(Self.proofIdentifierBytes),
            bodyDigest: call.body.map { contentDigest(Array($0)) })
        let proof: String
        do { proof = try await claims.signed(by: signer, device: DeviceID(account.id.rawValue)) } catch {
            throw .keyUnavailable
        }
        return Self.request(call, authorization: "\(APIHeaders.deviceProofScheme) \(proof)")
    }

    static func request(_ call: DeviceCall, authorization: String? = nil) -> TransportRequest {
        var headers: [(name: String, value: String)] = [("Accept", call.accept)]
        if let authorization { headers.append(("Authorization", authorization)) }
        if call.body != nil { headers.append(("Content-Type", APIMedia.json)) }
        return TransportRequest(
            method: call.method, url: call.url, headers: headers, body: call.body, timeout: exchangeTimeout)
    }
}

extension Account {
    private var deviceID: DeviceID { DeviceID(id.rawValue) }
    private var tenantID: TenantID { TenantID(tenant) }

    var deviceURL: String { server + APIPaths.device(tenantID, deviceID) }
    var challengesURL: String { server + APIPaths.deviceChallenges(tenantID, deviceID) }
    var eventsURL: String { server + APIPaths.deviceEvents(tenantID, deviceID) }
    var phoneSignInURL: String { server + APIPaths.phoneSignIn(tenantID, deviceID) }
    func answerURL(_ challenge: String) -> String { server + APIPaths.answer(tenantID, ChallengeID(challenge)) }
}
