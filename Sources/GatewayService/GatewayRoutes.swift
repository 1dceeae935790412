import HTTPTypes

/// The whole table: what is answered where.
struct GatewayRoutes: Sendable {
    let edge: Edge
    let operations: Operations
    let content: WebContent

    var table: RouteTable {
        RouteTable(open + pages + administration + signIns + devices + people + policies + directory + logs + operators)
    }

    private func route(
        _ method: HTTPRequest.Method, _ template: String, _ access: Route.Access, _ body: Route.Body = .none,
        at place: Problems.Place = .elsewhere, _ handler: @escaping Route.Handler
    ) -> Route {
        Route(method: method, template: template, access: access, body: body, place: place, handler: handler)
    }

    private var open: [Route] {
        [
            route(.get, "/healthz", .open, .none, operations.health),
            route(.get, "/readyz", .open, .none, operations.readiness),
            route(.get, "/metrics", .open, .none, operations.metrics),
            route(.post, "/v1/{tenant}/token", .client, .form, Token(edge: edge).issue),
        ]
    }

    private var pages: [Route] {
        let pages = Pages(edge: edge, content: content)
        let authenticator = AuthenticatorPage(content: content)
        return [
            route(.get, "/assets/{name}", .open, .none, pages.asset),
            route(.get, AuthenticatorPage.path, .open, .none, authenticator.page),
            route(.get, AuthenticatorPage.workerPath, .open, .none, authenticator.serviceWorker),
            route(.get, AuthenticatorPage.plainWorkerPath, .open, .none, authenticator.plainServiceWorker),
            route(.get, "/", .open, .none, pages.root),
            route(.get, "/{tenant}", .open, .none, pages.front),
            route(.get, "/{tenant}/sign-in", .open, .none, pages.signIn),
            route(.get, "/{tenant}/security-info", .open, .none, pages.securityInfo),
        ]
    }

    private var administration: [Route] {
        let pages = AdminPages(pages: Pages(edge: edge, content: content))
        return AdminPages.Place.allCases.map { place in
            route(.get, "/{tenant}/admin\(place.path)", .open, .none) { try await pages.show(place, $0) }
        }
    }

    private var signIns: [Route] {
        let requests = SignIns(edge: edge)
        return [
            route(.post, "/v1/{tenant}/sign-ins", .client, .json, requests.begin),
            route(.get, "/v1/{tenant}/sign-ins/{id}", .client, .none, requests.read),
            route(.delete, "/v1/{tenant}/sign-ins/{id}", .client, .none, requests.cancel),
            route(.get, "/v1/{tenant}/sign-ins/{id}/events", .client, .none, SignInEvents(edge: edge).open),
            route(.post, "/v1/{tenant}/sign-ins/{id}/code", .client, .json, requests.code),
            route(.post, "/v1/{tenant}/sign-ins/{id}/redeem", .client, .none, requests.redeem),
        ]
    }

    private var devices: [Route] {
        let devices = Devices(edge: edge)
        let devicePush = DevicePush(edge: edge)
        let phoneSignIn = PhoneSignIn(edge: edge)
        return [
            route(.post, "/v1/{tenant}/devices", .open, .json, at: .activation, devices.register),
            route(.get, "/v1/{tenant}/devices/{device}", .device, .none, devices.read),
            route(.patch, "/v1/{tenant}/devices/{device}", .device, .json, devices.change),
            route(.delete, "/v1/{tenant}/devices/{device}", .device, .none, devices.remove),
            route(.get, "/v1/{tenant}/devices/{device}/challenges", .device, .none, devices.challenges),
            route(.get, "/v1/{tenant}/devices/{device}/events", .device, .none, DeviceEvents(edge: edge).open),
            route(.get, "/v1/{tenant}/devices/{device}/push", .device, .none, devicePush.read),
            route(.post, "/v1/{tenant}/devices/{device}/phone-sign-in", .device, .json, phoneSignIn.start),
            route(.get, "/v1/{tenant}/devices/{device}/phone-sign-in", .device, .none, phoneSignIn.read),
            route(.delete, "/v1/{tenant}/devices/{device}/phone-sign-in", .device, .none, phoneSignIn.disable),
            route(.post, "/v1/{tenant}/challenges/{challenge}/answer", .open, .json, Answers(edge: edge).answer),
        ]
    }

    private var people: [Route] {
        let session = Session(edge: edge)
        let activations = Activations(edge: edge)
        let me = Me(edge: edge)
        let passwordSignIns = MyPasswordSignIns(edge: edge)
        return [
            route(.post, "/v1/{tenant}/session", .session, .json, session.start),
            route(.delete, "/v1/{tenant}/session", .session, .none, session.end),
            route(.post, "/v1/{tenant}/session/complete", .session, .json, session.complete),
            route(.get, "/v1/{tenant}/me", .session, .none, me.read),
            route(.patch, "/v1/{tenant}/me", .session, .json, me.choose),
            route(.delete, "/v1/{tenant}/me/devices/{device}", .session, .none, me.removeDevice),
            route(.get, "/v1/{tenant}/me/sign-ins", .session, .none, MySignIns(edge: edge).list),
            route(.post, "/v1/{tenant}/me/sign-ins/{signIn}:report", .session, .none, MySignIns(edge: edge).report),
            route(.get, "/v1/{tenant}/me/password-sign-ins", .session, .none, passwordSignIns.list),
            route(
                .post, "/v1/{tenant}/me/password-sign-ins/{signIn}:report", .session, .none, passwordSignIns.report),
            route(.post, "/v1/{tenant}/me/activations", .session, .json, activations.create),
            route(.get, "/v1/{tenant}/me/activations/{activation}", .session, .none, activations.read),
            route(.get, "/v1/{tenant}/me/activations/{activation}/qr.svg", .session, .none, activations.qrCode),
        ]
    }

    private var policies: [Route] {
        let policy = AdminPolicy(edge: edge)
        let settings = AdminSettings(edge: edge)
        let clients = AdminClients(edge: edge)
        return [
            route(.get, "/v1/{tenant}/admin/policies/authenticator", .administrator, .none, policy.read),
            route(.patch, "/v1/{tenant}/admin/policies/authenticator", .administrator, .mergePatch, policy.change),
            route(.get, "/v1/{tenant}/admin/policies/authenticator/explain", .administrator, .none, policy.explain),
            route(
                .post, "/v1/{tenant}/admin/policies/authenticator:preview", .administrator, .mergePatch, policy.preview),
            route(.get, "/v1/{tenant}/admin/settings", .administrator, .none, settings.read),
            route(.patch, "/v1/{tenant}/admin/settings", .administrator, .mergePatch, settings.change),
            route(.get, "/v1/{tenant}/admin/clients", .administrator, .none, clients.list),
            route(.post, "/v1/{tenant}/admin/clients", .administrator, .json, clients.create),
            route(.get, "/v1/{tenant}/admin/clients/{client}", .administrator, .none, clients.read),
            route(.delete, "/v1/{tenant}/admin/clients/{client}", .administrator, .none, clients.remove),
        ]
    }

    private var directory: [Route] {
        let users = AdminUsers(edge: edge)
        let groups = AdminGroups(edge: edge)
        return [
            route(.get, "/v1/{tenant}/admin/users", .administrator, .none, users.list),
            route(.post, "/v1/{tenant}/admin/users", .administrator, .json, users.create),
            route(.post, "/v1/{tenant}/admin/users:import", .administrator, .upload, AdminImport(edge: edge).run),
            route(.get, "/v1/{tenant}/admin/users/{user}", .administrator, .none, users.read),
            route(.patch, "/v1/{tenant}/admin/users/{user}", .administrator, .json, users.change),
            route(.delete, "/v1/{tenant}/admin/users/{user}", .administrator, .none, users.remove),
            route(.post, "/v1/{tenant}/admin/users/{user}:block", .administrator, .none, users.block),
            route(.post, "/v1/{tenant}/admin/users/{user}:unblock", .administrator, .none, users.unblock),
            route(.post, "/v1/{tenant}/admin/users/{user}:unlock-codes", .administrator, .none, users.unlockCodes),
            route(
                .post, "/v1/{tenant}/admin/users/{user}/temporary-access-pass", .administrator, .json, users.issuePass),
            route(.get, "/v1/{tenant}/admin/users/{user}/temporary-access-pass", .administrator, .none, users.readPass),
            route(
                .delete, "/v1/{tenant}/admin/users/{user}/temporary-access-pass", .administrator, .none,
                users.withdrawPass),
            route(.get, "/v1/{tenant}/admin/users/{user}/devices", .administrator, .none, users.devices),
            route(
                .delete, "/v1/{tenant}/admin/users/{user}/devices/{device}", .administrator, .none, users.removeDevice),
            route(
                .post, "/v1/{tenant}/admin/users/{user}/devices/{device}:check-push", .administrator, .none,
                DevicePush(edge: edge).check),
            route(.get, "/v1/{tenant}/admin/groups", .administrator, .none, groups.list),
            route(.post, "/v1/{tenant}/admin/groups", .administrator, .json, groups.create),
            route(.get, "/v1/{tenant}/admin/groups/{group}", .administrator, .none, groups.read),
            route(.patch, "/v1/{tenant}/admin/groups/{group}", .administrator, .json, groups.change),
            route(.delete, "/v1/{tenant}/admin/groups/{group}", .administrator, .none, groups.remove),
            route(.get, "/v1/{tenant}/admin/groups/{group}/members", .administrator, .none, groups.members),
            route(.post, "/v1/{tenant}/admin/groups/{group}/members", .administrator, .json, groups.changeMembers),
            route(.patch, "/v1/{tenant}/admin/groups/{group}/members", .administrator, .json, groups.changeMembers),
            route(
                .delete, "/v1/{tenant}/admin/groups/{group}/members/{user}", .administrator, .none, groups.removeMember),
        ]
    }

    private var logs: [Route] {
        let signIns = AdminSignIns(edge: edge)
        return [
            route(.get, "/v1/{tenant}/admin/sign-ins", .administrator, .none, signIns.list),
            route(.get, "/v1/{tenant}/admin/sign-ins:summary", .administrator, .none, signIns.summary),
            route(.get, "/v1/{tenant}/admin/audit", .administrator, .none, AdminAudit(edge: edge).list),
        ]
    }

    private var operators: [Route] {
        let tenants = Operator(edge: edge)
        return [
            route(.post, "/v1/tenants", .operator, .json, tenants.createTenant),
            route(.get, "/v1/tenants", .operator, .none, tenants.listTenants),
            route(.post, "/v1/{tenant}:renew-admin-token", .operator, .none, tenants.renewAdminToken),
        ]
    }
}
