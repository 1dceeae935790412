import Authenticator
import DeviceAPI
import Domain
import Foundation
import Synchronization
import Testing

/// A person's browser: it keeps the cookies that it is given.
final class Browser: Sendable {
    let web: FlowTransport
    let tenant: TenantID
    private let cookies = Mutex<[String: String]>([:])

    init(_ web: FlowTransport, _ tenant: TenantID) {
        self.web = web
        self.tenant = tenant
    }

    func call(_ method: String, _ path: String, body: (any Encodable)? = nil) async throws -> WebReply {
        let kept = cookies.withLock { $0.map { "\($0.key)=\($0.value)" }.sorted().joined(separator: "; ") }
        let reply = try await web.send(method, path, kept.isEmpty ? [] : [("Cookie", kept)], body: body)
        if let pair = reply.head["Set-Cookie"]?.split(separator: ";").first?.split(separator: "=", maxSplits: 1) {
            cookies.withLock { $0[String(pair[0])] = pair.count > 1 ? String(pair[1]) : "" }
        }
        return reply
    }

    /// The cookies of another browser, for a test of what they are worth elsewhere.
    func steal(from other: Browser, as rename: (String) -> String = { $0 }) {
        let stolen = other.cookies.withLock { $0 }
        cookies.withLock { cookies in for (name, value) in stolen { cookies[rename(name)] = value } }
    }

    func start(_ request: SessionRequest) async throws -> WebReply {
        try await call("POST", APIPaths.session(tenant), body: request)
    }

    /// Signs in with a password or a pass where that is enough.
    func signIn(_ request: SessionRequest, sourceLocation: SourceLocation = #_sourceLocation) async throws {
        try await start(request).expect(200, sourceLocation: sourceLocation)
    }

    func complete(_ request: SignInReply) async throws -> WebReply {
        try await call(
            "POST", APIPaths.sessionCompletion(tenant),
            body: SessionCompletion(id: request.id, secret: request.secret))
    }

    func me() async throws -> OwnMethods { try await call("GET", APIPaths.me(tenant)).body(OwnMethods.self) }

    func newActivation() async throws -> ActivationCreated {
        try await call("POST", APIPaths.myActivations(tenant)).body(ActivationCreated.self, status: 201)
    }

    func progress(_ activation: ActivationCreated, wait: Int = 0, past state: ActivationState = .waiting) async throws
        -> ActivationProgress
    {
        let path = APIPaths.myActivation(tenant, ActivationID(activation.id))
        return try await call("GET", path + "?wait=\(wait)&state=\(state.rawValue)").body(ActivationProgress.self)
    }
}
