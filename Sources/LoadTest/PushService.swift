import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1
import NIOSSL
import Synchronization

/// The push service of a double, at which phones subscribe (RFC 8030 section 4).
final class PushService: Sendable {
    private static let timeout = TimeAmount.seconds(10)
    private static let replyBytesMax = 4096
    /// How often one subscription is asked for, of a double that is told to fail now and then.
    private static let attemptsMax = 5
    private static let pause = Duration.seconds(1)

    private let http: HTTPClient
    private let subscribeURL: URL
    /// The resources of the subscriptions that were made.
    private let resources = Mutex<[String]>([])

    private init(_ http: HTTPClient, _ subscribeURL: URL) {
        self.http = http
        self.subscribeURL = subscribeURL
    }

    /// Runs `work`, and ends the subscriptions that it has made. Throws for a folder in which no `countersign-push-double` has written.
    static func open<Value: Sendable>(
        folder: String, _ work: @Sendable (PushService) async throws -> Value
    ) async throws -> Value {
        let (place, roots) = (folder + "/subscribe.url", folder + "/roots.pem")
        guard let text = try? String(contentsOfFile: place, encoding: .utf8), let url = URL(string: text.trimmed),
            url.scheme == "https", FileManager.default.fileExists(atPath: roots)
        else { throw ScenarioError("\(place): no countersign-push-double has written it") }
        var tls = TLSConfiguration.makeClientConfiguration()
        tls.trustRoots = .file(roots)
        let service = PushService(
            HTTPClient(
                eventLoopGroupProvider: .singleton,
                configuration: HTTPClient.Configuration(tlsConfiguration: tls, redirectConfiguration: .disallow)), url)
        let result: Result<Value, any Error>
        do { result = .success(try await work(service)) } catch { result = .failure(error) }
        // Of its own, so that it is done after a cancellation too.
        await Task { await service.close() }.value
        return try result.get()
    }

    /// The push resource of a new subscription, a URL. Throws what the last of some attempts came to.
    func subscribe() async throws -> String {
        for _ in 1..<Self.attemptsMax {
            if let endpoint = try? await attempt() { return endpoint }
            try await Task.sleep(for: Self.pause)
        }
        return try await attempt()
    }

    private func attempt() async throws -> String {
        let reply = try await call(.POST, subscribeURL.absoluteString)
        guard reply.status == .created, let resource = reply.headers.first(name: "location") else {
            throw ScenarioError("\(subscribeURL) answers \(reply.status.code), and no subscription")
        }
        resources.withLock { $0.append(resource) }
        guard let link = reply.headers[canonicalForm: "link"].first(where: { $0.hasSuffix(Self.relation) }),
            let endpoint = URL(
                string: String(link.dropLast(Self.relation.count).dropFirst()), relativeTo: subscribeURL)
        else { throw ScenarioError("\(subscribeURL) gives a subscription without a push resource") }
        return endpoint.absoluteString
    }

    /// After the reference in a link (RFC 8288 section 3).
    private static let relation = ">; rel=\"urn:ietf:params:push\""

    /// A subscription that stays costs the double some memory and no more.
    private func close() async {
        for resource in resources.withLock(\.self) {
            guard (try? await call(.DELETE, resource)) != nil else { break }
        }
        // The only error is a second shutdown, which asks for what is already so.
        try? await http.shutdown()
    }

    private func call(_ method: HTTPMethod, _ url: String) async throws -> HTTPClientResponse {
        var request = HTTPClientRequest(url: url)
        request.method = method
        let response = try await http.execute(request, timeout: Self.timeout)
        // To its end, so that the connection serves the next one.
        _ = try await response.body.collect(upTo: Self.replyBytesMax)
        return response
    }
}
