import Domain
import HTTPTypes
import Proofs
import Secrets

/// The two cookies of a browser: its session, and the mark that only the browser that began a sign-in may complete it.
///
/// Over TLS the `__Host-` prefix keeps other hosts and paths from setting them; plain HTTP, for loopback, has neither. The tenant
/// is in the name, so that sessions of two tenants in one browser do not end each other.
struct SessionCookies: Sendable {
    let isSecure: Bool

    init(externalURL: String) { isSecure = externalURL.hasPrefix("https://") }

    func sessionName(_ tenant: TenantID) -> String { name("session", tenant) }
    func startName(_ tenant: TenantID) -> String { name("sign-in", tenant) }

    private func name(_ what: String, _ tenant: TenantID) -> String {
        "\(isSecure ? "__Host-" : "")countersign-\(what)-\(tenant)"
    }

    func session(_ token: String, _ tenant: TenantID) -> HTTPField { cookie(sessionName(tenant), token) }
    func start(_ token: String, _ tenant: TenantID) -> HTTPField { cookie(startName(tenant), token) }
    func sessionEnded(_ tenant: TenantID) -> HTTPField { cookie(sessionName(tenant), "", ended: true) }
    func startEnded(_ tenant: TenantID) -> HTTPField { cookie(startName(tenant), "", ended: true) }

    private func cookie(_ name: String, _ value: String, ended: Bool = false) -> HTTPField {
        let text =
            "\(name)=\(value); Path=/; HttpOnly; SameSite=Lax" + (isSecure ? "; Secure" : "")
            + (ended ? "; Max-Age=0" : "")
        return HTTPField(name: .setCookie, value: text)
    }

    func sessionDigest(_ headers: HTTPFields, _ tenant: TenantID) -> [UInt8]? { digest(sessionName(tenant), headers) }
    func startDigest(_ headers: HTTPFields, _ tenant: TenantID) -> [UInt8]? { digest(startName(tenant), headers) }

    /// RFC 6265 section 4.2. Only a digest leaves this type.
    private func digest(_ name: String, _ headers: HTTPFields) -> [UInt8]? {
        for field in headers[values: .cookie] {
            for pair in field.split(separator: ";") {
                let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
                if parts.count == 2, parts[0].trimmed == name, !parts[1].isEmpty {
                    return sha256(Array(parts[1].trimmed.utf8))
                }
            }
        }
        return nil
    }
}
