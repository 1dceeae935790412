import DeviceAPI
import NIOHTTP1

/// The gateway does not say that it may be pushed.
package struct ConsentMissing: Error, CustomStringConvertible {
    package let gateway: String

    package var description: String {
        "\(gateway) does not allow load tests: where nobody depends on it, set loadTest.allowed of its gateway to true"
    }
}

extension PublicAPI {
    /// Throws `ConsentMissing` unless the gateway's configuration allows load tests. Nothing else is asked of it before.
    func askConsent() async throws {
        let reply = try await send("health", .GET, APIPaths.health)
        try reply.expect(200)
        guard reply.headers.first(name: APIHeaders.loadTest) == APIHeaders.loadTestAllowed else {
            throw ConsentMissing(gateway: base)
        }
    }
}
