import HTTPTypes
import Wire

/// Keeps another site from using a browser's cookies: where a browser says where a request comes from, it must be from here.
struct BrowserOrigin: Sendable {
    private let origin: String

    init(externalURL: String) {
        // Scheme, host and port: what comes before the first slash after `://`.
        guard let start = externalURL.firstRange(of: "://") else {
            origin = externalURL.lowercased()
            return
        }
        let host = externalURL[start.upperBound...].prefix { $0 != "/" }
        origin = (externalURL[..<start.upperBound] + host).lowercased()
    }

    /// Throws `refused` for an unsafe call from another origin.
    func check(_ inbound: Inbound) throws(ServiceError) {
        guard inbound.method != .get, inbound.method != .head else { return }
        if let site = inbound.headers[.secFetchSite], site != "same-origin" { throw Self.refusal }
        if let said = inbound.headers[.origin], said.lowercased() != origin { throw Self.refusal }
    }

    private static var refusal: ServiceError { ServiceError(.refused, "the request comes from another site") }
}
