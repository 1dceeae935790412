import DeviceAPI
import Domain
import Foundation

/// Every body that a caller sends, with all of its members, and the names that the contract gives them.
enum Samples {
    static let push = PushRegistration(
        transport: .webpush, token: "t", topic: "o", endpoint: "https://push.example", p256dh: "k", auth: "a")
    static let device = DeviceDescription(name: "Phone", platform: .ios, osVersion: "17.2", appVersion: "1.0.0")

    static let requests: [(body: any APIRequest, members: Set<String>)] = [
        (
            SignInRequest(
                username: "alice", factor: .secondFactor, application: "Payroll",
                context: SignInContext(ipAddress: "203.0.113.7", userAgent: "Browser")),
            ["username", "factor", "application", "context"]
        ),
        (SignInContext(ipAddress: "203.0.113.7", userAgent: "Browser"), ["ipAddress", "userAgent"]),
        (CodeRequest(code: "123456", password: "secret"), ["code", "password"]),
        (
            ActivationRequest(ticket: "t", proof: "a.b.c", device: device, push: push),
            ["ticket", "proof", "device", "push"]
        ),
        (device, ["name", "platform", "osVersion", "appVersion"]),
        (push, ["transport", "token", "topic", "endpoint", "p256dh", "auth"]),
        (
            DevicePatch(name: "Phone", push: push, osVersion: "17.2", appVersion: "1.0.0"),
            ["name", "push", "osVersion", "appVersion"]
        ),
        (PhoneSignInRequest(password: "secret", temporaryAccessPass: "pass"), ["password", "temporaryAccessPass"]),
        (AnswerRequest(answer: "a.b.c"), ["answer"]),
        (
            SessionRequest(username: "alice", password: "secret", temporaryAccessPass: "pass"),
            ["username", "password", "temporaryAccessPass"]
        ),
        (SessionCompletion(id: "c1", secret: "s1"), ["id", "secret"]),
        (OwnChoice(defaultMethod: .code), ["defaultMethod"]),
        (
            UserCreation(username: "alice", displayName: "Alice", password: "p", roles: ["administrator"], groups: []),
            ["username", "displayName", "password", "roles", "groups"]
        ),
        (
            UserPatch(displayName: "Alice", password: "", roles: [], groups: ["g1"]),
            ["displayName", "password", "roles", "groups"]
        ),
        (GroupRequest(name: "Staff"), ["name"]),
        (MembersPatch(add: ["p1"], remove: ["p2"]), ["add", "remove"]),
        (PassRequest(lifetimeMinutes: 60, usableOnce: true), ["lifetimeMinutes", "usableOnce"]),
        (
            ClientCreation(name: "App", applications: ["Payroll"], anyApplication: false, roles: ["signIn"]),
            ["name", "applications", "anyApplication", "roles"]
        ),
        (TenantCreation(id: "demo", name: "Demo"), ["id", "name"]),
    ]

    static let time = Timestamp(milliseconds: 1_700_000_000_123)

    static func json<Body: Encodable>(_ body: Body) throws -> [UInt8] { Array(try JSONEncoder().encode(body)) }

    static func members<Body: Encodable>(_ body: Body) throws -> [String: Any] {
        let object = try JSONSerialization.jsonObject(with: JSONEncoder().encode(body))
        return object as? [String: Any] ?? [:]
    }
}
