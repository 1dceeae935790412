package import Domain
import Foundation
import Secrets

/// The gateway that is pushed, the tenant there, and who may act in it.
package struct Target: Sendable {
    /// Without a slash at the end.
    package let base: String
    package let tenant: TenantID
    /// `Authorization` of the client application that asks for sign-ins.
    let client: String
    /// Of an administrator, who makes and removes the people.
    let token: String
    /// PEM file of certificate authorities to trust instead of the system's.
    package var trustRootsFile: String?

    /// A file of credentials as `make run` writes it: `base` and `tenant` may be missing.
    private struct Credentials: Decodable {
        struct Client: Decodable {
            let id: String
            let secret: String
        }
        struct Administrator: Decodable { let token: String }

        let base: String?
        let tenant: String?
        let client: Client
        let admin: Administrator
    }

    private static let credentialsBytesMax = 64 * 1024
    /// Where the credentials stand in the environment.
    package static let variables = [
        "COUNTERSIGN_LOADTEST_CLIENT_ID", "COUNTERSIGN_LOADTEST_CLIENT_SECRET", "COUNTERSIGN_LOADTEST_ADMIN_TOKEN",
    ]

    /// What the file does not say, `gateway` and `tenant` must; what both say, they decide.
    package init(credentials path: String, gateway: String?, tenant: String?) throws {
        let credentials: Credentials
        do {
            let bytes = try PrivateFile.read(path, bytesMax: Self.credentialsBytesMax)
            credentials = try JSONDecoder().decode(Credentials.self, from: Data(bytes))
        } catch let fault as PrivateFile.Fault {
            throw ScenarioError(fault.description)
        } catch {
            throw ScenarioError("\(path) holds no credentials: client.id, client.secret and admin.token are needed")
        }
        try self.init(credentials, gateway: gateway, tenant: tenant)
    }

    /// As the environment's variables say. Throws for one that is missing or empty, by its name.
    package init(environment: [String: String], gateway: String?, tenant: String?) throws {
        let values = try Self.variables.map { name in
            guard let value = environment[name], !value.isEmpty else {
                throw ScenarioError("\(name) is not set: \(Self.variables.joined(separator: ", ")) go together")
            }
            return value
        }
        let credentials = Credentials(
            base: nil, tenant: nil, client: Credentials.Client(id: values[0], secret: values[1]),
            admin: Credentials.Administrator(token: values[2]))
        try self.init(credentials, gateway: gateway, tenant: tenant)
    }

    private init(_ credentials: Credentials, gateway: String?, tenant: String?) throws {
        guard let base = gateway ?? credentials.base, let url = URL(string: base), url.host != nil,
            url.scheme == "http" || url.scheme == "https"
        else { throw ScenarioError("--gateway must be an http or https URL, where the credentials do not name one") }
        guard let tenant = tenant ?? credentials.tenant, TenantID.isValid(tenant) else {
            throw ScenarioError("--tenant must be letters a-z, digits and -, where the credentials do not name one")
        }
        self.base = base.hasSuffix("/") ? String(base.dropLast()) : base
        self.tenant = TenantID(tenant)
        let pair = "\(credentials.client.id):\(credentials.client.secret)"
        client = "Basic " + Data(pair.utf8).base64EncodedString()
        token = credentials.admin.token
    }
}
