package import Messaging
import Wire

extension PolicyService {
    /// Every message that policy answers.
    package var routes: Routes {
        var routes = Routes(service: .policy)
        routes.on(AuthenticateClient.self, authenticateClient)
        routes.on(AuthenticateToken.self, authenticateToken)
        routes.on(IssueToken.self, issueToken)
        routes.on(WatchPolicy.self, watchPolicy)
        routes.on(ReadPolicyDocument.self) { request, _ in try await self.readDocument(.policy, of: request.tenant) }
        routes.on(ChangePolicyDocument.self, changePolicy)
        routes.on(PreviewPolicy.self, previewPolicy)
        routes.on(ReadSettings.self) { request, _ in try await self.readDocument(.settings, of: request.tenant) }
        routes.on(ChangeSettings.self, changeSettings)
        routes.on(CreateTenant.self, createTenant)
        routes.on(RenewAdminToken.self, renewAdminToken)
        routes.on(ListTenants.self, listTenants)
        routes.on(CreateClient.self, createClient)
        routes.on(ListClients.self, listClients)
        routes.on(ReadClient.self, readClient)
        routes.on(DeleteClient.self, deleteClient)
        routes.on(ListPolicyAudit.self, listAudit)
        return routes
    }
}
