import DeviceAPI
import Domain
import Foundation
import Testing

/// A client of a tenant: it wants people signed in.
struct Application: Sendable {
    let web: FlowTransport
    let tenant: TenantID
    let id: String
    let secret: String

    private var credentials: (String, String) { Self.basic(id, secret) }

    static func basic(_ id: String, _ secret: String) -> (String, String) {
        ("Authorization", "Basic " + Data("\(id):\(secret)".utf8).base64EncodedString())
    }

    func tryBegin(_ request: SignInRequest, _ headers: [(String, String)] = []) async throws -> WebReply {
        try await web.send("POST", APIPaths.signIns(tenant), [credentials] + headers, body: request)
    }

    func begin(_ username: String, _ factor: Factor = .passwordless) async throws -> SignInReply {
        try await tryBegin(SignInRequest(username: username, factor: factor)).body(SignInReply.self, status: 201)
    }

    /// A call about a request that was begun.
    func call(
        _ method: String, _ request: SignInReply, _ suffix: String = "", headers: [(String, String)] = [],
        body: (any Encodable)? = nil
    ) async throws -> WebReply {
        let path = APIPaths.signIn(tenant, ChallengeID(request.id)) + suffix
        return try await web.send(
            method, path, [credentials, (APIHeaders.signInSecret, request.secret)] + headers, body: body)
    }

    func status(_ request: SignInReply, wait: Int = 0) async throws -> SignInStatus {
        try await call("GET", request, "?wait=\(wait)").body(SignInStatus.self)
    }

    func code(_ request: SignInReply, _ code: String, password: String? = nil) async throws -> WebReply {
        try await call("POST", request, "/code", body: CodeRequest(code: code, password: password))
    }

    func redeem(_ request: SignInReply) async throws -> WebReply { try await call("POST", request, "/redeem") }

    func redeemed(_ request: SignInReply) async throws -> RedeemReply {
        try await redeem(request).body(RedeemReply.self)
    }

    func cancel(_ request: SignInReply) async throws -> WebReply { try await call("DELETE", request) }
}
