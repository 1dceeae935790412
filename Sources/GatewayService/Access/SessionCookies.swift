import Domain
import HTTPTypes
import Proofs
import Secrets

/// The two cookies of a browser: its session, and the mark that only the browser that began a sign-in may complete it.
///
/// Over TLS the `__Host-` prefix keeps other hosts and paths from setting them; plain HTTP, for loopback, has neither. The tenant
/// is in the name, so that sessions of two tenants in one browser do not end each other.
struct SessionCookies: Sendable {
    /// Random bytes of the mark of a browser that began a sign-in.
    private static let startBytes = 32

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

    private func cookie(_ name: String, _ value: String, ended: Bool = false) -> HTTPField {
        let text =
            "\(name)=\(value); Path=/; HttpOnly; SameSite=Lax" + (isSecure ? "; Secure" : "")
            + (ended ? "; Max-Age=0" : "")
        return HTTPField(name: .setCookie, value: text)
    }

    func sessionDigest(_ headers: HTTPFields, _ tenant: TenantID) -> [UInt8]? { digest(sessionName(tenant), headers) }
    func startDigest(_ headers: HTTPFields, _ tenant: TenantID) -> [UInt8]? { digest(startName(tenant), headers) }

    /// The mark that the browser has already, so that all its open requests stay its own; else a fresh one. Only what this type
    /// could have made is taken: a value that somebody thought up could be guessed.
    func startToken(_ headers: HTTPFields, _ tenant: TenantID) -> String {
        if let known = value(startName(tenant), headers), let bytes = Base64URL.decode(known),
            bytes.count == Self.startBytes, Base64URL.encode(bytes) == known
        {
            return known
        }
        return Base64URL.encode(randomBytes(Self.startBytes))
    }

    private func digest(_ name: String, _ headers: HTTPFields) -> [UInt8]? {
        value(name, headers).map { sha256(Array($0.utf8)) }
    }

    /// RFC 6265 section 4.2.
    private func value(_ name: String, _ headers: HTTPFields) -> String? {
        for field in headers[values: .cookie] {
            for pair in field.split(separator: ";") {
                let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
                if parts.count == 2, parts[0].trimmed == name, !parts[1].isEmpty { return parts[1].trimmed }
            }
        }
        return nil
    }
}
