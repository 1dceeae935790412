package import ServiceKit

/// Which push services may be sent to: a phone names the endpoint, so it could name one of the operator's own machines
/// (server-side request forgery).
package struct WebPushTargets: Sendable {
    /// The push services of the browsers.
    package static let browsers = [
        "fcm.googleapis.com", "updates.push.services.mozilla.com", "web.push.apple.com", "*.notify.windows.com",
    ]

    private let exact: Set<String>
    private let suffixes: [String]
    private let allowedBlocks: [AddressBlock]

    /// `hosts` are names, or `*.` and the end of names. `allowedBlocks` may be reached although they are not public, e.g. for a
    /// UnifiedPush server in the operator's own network.
    package init(hosts: [String] = Self.browsers, allowedBlocks: [AddressBlock] = []) {
        let names = hosts.map { $0.lowercased() }
        exact = Set(names.filter { !$0.hasPrefix("*.") })
        suffixes = names.filter { $0.hasPrefix("*.") }.map { String($0.dropFirst()) }
        self.allowedBlocks = allowedBlocks
    }

    /// Where the endpoint is, when its host is one of those that may be sent to; nil otherwise.
    package func origin(of endpoint: String) -> WebPushOrigin? {
        guard let origin = WebPushOrigin(endpoint: endpoint),
            exact.contains(origin.host) || suffixes.contains(where: { origin.host.hasSuffix($0) })
        else { return nil }
        return origin
    }

    /// Those of a name's addresses that may be connected to, in their order.
    package func addresses(among addresses: [String]) -> [String] {
        addresses.filter { text in
            guard let bytes = AddressBlock.bytes(of: text) else { return false }
            return AddressBlock.isPublic(bytes) || allowedBlocks.contains { $0.contains(bytes) }
        }
    }
}
