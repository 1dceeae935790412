import Authenticator
import DeviceAPI
import Domain
import Foundation
import ServiceKit
import Testing

/// The holder of a tenant's administration token.
struct Administrator: Sendable {
    let stack: FlowStack
    let tenant: TenantID
    let token: String

    private var path: String { APIPaths.admin(tenant) }
    var policyPath: String { APIPaths.policy(tenant) }

    func call(
        _ method: String, _ path: String, headers: [(String, String)] = [], body: (any Encodable)? = nil
    ) async throws -> WebReply {
        try await stack.web.send(method, path, [("Authorization", "Bearer \(token)")] + headers, body: body)
    }

    // MARK: policy and settings

    /// Changes the policy by a merge patch and returns once every service has it.
    @discardableResult
    func changePolicy(_ patch: String) async throws -> AuthenticatorPolicy {
        let policy = try AuthenticatorPolicy(document: try await change(APIPaths.policy(tenant), patch))
        await stack.waitUntilMirrored(tenant) { $0.policy == policy }
        return policy
    }

    /// Changes the settings by a merge patch and returns once every service has them.
    @discardableResult
    func changeSettings(_ patch: String) async throws -> TenantSettings {
        let settings = try TenantSettings(document: try await change(APIPaths.settings(tenant), patch))
        await stack.waitUntilMirrored(tenant) { $0.settings == settings }
        return settings
    }

    private func change(_ path: String, _ patch: String) async throws -> JSONValue {
        let tag = try #require(try await call("GET", path).head["ETag"])
        let reply = try await call("PATCH", path, headers: [("If-Match", tag)], body: RawJSON(text: patch))
        try reply.expect(200)
        return try JSONValue(parsing: Array(reply.body))
    }

    func explain(_ username: String) async throws -> Explanation {
        try await call("GET", APIPaths.policyExplanation(tenant) + "?user=\(username)").body(Explanation.self)
    }

    // MARK: people

    func createUser(_ username: String, password: String? = nil, roles: [String]? = nil) async throws -> UserDocument {
        try await call(
            "POST", APIPaths.users(tenant), body: UserCreation(username: username, password: password, roles: roles)
        ).body(UserDocument.self, status: 201)
    }

    func createGroup(_ name: String, of users: [UserDocument]) async throws -> GroupDocument {
        let group = try await call("POST", APIPaths.groups(tenant), body: GroupRequest(name: name))
            .body(GroupDocument.self, status: 201)
        let path = APIPaths.groupMembers(tenant, GroupID(group.id))
        try await call("POST", path, body: MembersPatch(add: users.map(\.id))).expect(200)
        return group
    }

    func setBlocked(_ user: UserDocument, _ blocked: Bool) async throws {
        let id = PersonID(user.id)
        try await call("POST", blocked ? APIPaths.blockUser(tenant, id) : APIPaths.unblockUser(tenant, id)).expect(200)
    }

    func issuePass(_ user: UserDocument) async throws -> PassReply {
        try await call("POST", APIPaths.temporaryAccessPass(tenant, PersonID(user.id)), body: PassRequest())
            .body(PassReply.self, status: 201)
    }

    func devices(of user: UserDocument) async throws -> [DeviceDocument] {
        try await call("GET", APIPaths.userDevices(tenant, PersonID(user.id))).body(Page<DeviceDocument>.self).items
    }

    // MARK: applications and logs

    /// Makes an application and returns once no service remembers the tenant as it was before.
    func createApplication(_ creation: ClientCreation) async throws -> Application {
        let client = try await call("POST", APIPaths.clients(tenant), body: creation)
            .body(ClientCreated.self, status: 201)
        try await stack.waitUntilCurrent(tenant)
        return Application(web: stack.web, tenant: tenant, id: client.id, secret: client.secret)
    }

    func signIns(of username: String? = nil) async throws -> [SignInLogEntry] {
        let query = "?limit=1000" + (username.map { "&user=\($0)" } ?? "")
        return try await call("GET", APIPaths.signInLog(tenant) + query).body(Page<SignInLogEntry>.self).items
    }

    func logged(_ request: SignInReply) async throws -> SignInLogEntry {
        try #require(try await signIns().first { $0.id == request.id })
    }
}

/// JSON that a test writes as text.
struct RawJSON: Encodable {
    let text: String

    func encode(to encoder: any Encoder) throws { try JSONValue(parsing: Array(text.utf8)).encode(to: encoder) }
}
