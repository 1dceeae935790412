import Authenticator
import DeviceAPI
import Domain
import Foundation
import Testing
import Wire

/// One tenant with its administrator and an application.
struct Tenancy: Sendable {
    let stack: FlowStack
    let id: TenantID
    let administrator: Administrator
    let application: Application

    static let password = "correct horse battery"

    func browser() -> Browser { Browser(stack.web, id) }

    /// A person with a session, and no phone yet.
    func person(_ username: String) async throws -> (UserDocument, Browser) {
        let user = try await administrator.createUser(username, password: Self.password)
        let browser = browser()
        try await browser.signIn(SessionRequest(username: username, password: Self.password))
        return (user, browser)
    }

    /// A person with a registered phone, and phone sign-in on it unless told otherwise.
    func someone(_ username: String = "alice", phone: Phone? = nil, phoneSignIn: Bool = true) async throws -> Someone {
        let (user, browser) = try await person(username)
        let phone = phone ?? Phone(stack)
        let account = try await phone.register(in: browser)
        if phoneSignIn { try await phone.setUpPhoneSignIn(account, with: .password(Self.password)) }
        return Someone(user: user, browser: browser, phone: phone, account: account)
    }
}

/// A person with a phone.
struct Someone: Sendable {
    let user: UserDocument
    let browser: Browser
    let phone: Phone
    let account: Account.ID

    var name: String { user.username }
}

extension FlowStack {
    /// Makes a tenant as an operator does, with an application, and returns once every service knows it.
    func tenant(_ id: String = "demo") async throws -> Tenancy {
        let created = try await web.send(
            "POST", APIPaths.tenants, [("Authorization", "Bearer \(try operatorToken)")],
            body: TenantCreation(id: id, name: id.capitalized)
        ).body(TenantCreated.self, status: 201)
        let tenant = TenantID(id)
        await waitUntilMirrored(tenant)
        let administrator = Administrator(stack: self, tenant: tenant, token: try #require(created.adminToken))
        let application = try await administrator.createApplication(
            ClientCreation(name: "Payroll", anyApplication: true))
        return Tenancy(stack: self, id: tenant, administrator: administrator, application: application)
    }

    /// Runs a stack with one tenant.
    static func withTenant(
        instances: [ServiceName: Int] = [:], _ body: @escaping @Sendable (FlowStack, Tenancy) async throws -> Void
    ) async throws {
        try await run(instances: instances) { stack in try await body(stack, try await stack.tenant()) }
    }
}
