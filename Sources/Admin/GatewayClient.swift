import AsyncHTTPClient
import DeviceAPI
import Domain
import Foundation
import NIOCore
import NIOFoundationCompat
import NIOHTTP1
import NIOSSL

/// One call to the gateway.
struct GatewayCall {
    var method = HTTPMethod.GET
    let path: String
    var query: [(String, String?)] = []
    var body: Data?
    var contentType = APIMedia.json
    var headers: [(String, String)] = []
    /// In place of the client's bearer token; empty for none.
    var authorization: String?

    static func get(_ path: String, _ query: [(String, String?)] = []) -> GatewayCall {
        GatewayCall(path: path, query: query)
    }
    static func delete(_ path: String) -> GatewayCall { GatewayCall(method: .DELETE, path: path) }

    static func post(_ path: String, _ body: (any Encodable)? = nil) throws -> GatewayCall {
        GatewayCall(method: .POST, path: path, body: try body.map { try Output.encoder.encode($0) })
    }

    static func patch(_ path: String, _ body: any Encodable) throws -> GatewayCall {
        GatewayCall(method: .PATCH, path: path, body: try Output.encoder.encode(body))
    }
}

struct GatewayReply {
    let status: Int
    let etag: String?
    /// Name and value of the first cookie that was set.
    var cookie: String?
    let body: Data

    func decode<Body: Decodable>(_ type: Body.Type = Body.self) throws -> Body {
        do { return try JSONDecoder().decode(type, from: body) } catch {
            throw AdminFailure(.unexpectedReply, "the gateway's reply is not what the contract says")
        }
    }
}

/// Speaks HTTP with the gateway, as one caller.
final class GatewayClient: Sendable {
    /// Longer than the longest long poll.
    private static let callTimeout = TimeAmount.seconds(40)
    private static let importTimeout = TimeAmount.minutes(10)
    private static let replyBytesMax = 64 * 1024 * 1024

    let base: String
    private let token: String?
    private let http: HTTPClient

    init(base: String, token: String?, trustRootsFile: String?) {
        var tls = TLSConfiguration.makeClientConfiguration()
        if let trustRootsFile { tls.trustRoots = .file(trustRootsFile) }
        // Redirects are not followed: the token is meant for this gateway.
        var configuration = HTTPClient.Configuration(
            tlsConfiguration: tls, redirectConfiguration: .disallow, timeout: .init(connect: .seconds(10)))
        // Who is not there is said at once.
        configuration.connectionPool.retryConnectionEstablishment = false
        http = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
        self.base = base.hasSuffix("/") ? String(base.dropLast()) : base
        self.token = token
    }

    func shutdown() async {
        // The only error is a second shutdown.
        try? await http.shutdown()
    }

    /// Any reply, also a refusal.
    func exchange(_ call: GatewayCall) async throws -> GatewayReply {
        var request = HTTPClientRequest(url: base + call.path + Self.text(of: call.query))
        request.method = call.method
        request.headers.add(name: "Accept", value: APIMedia.json)
        if let authorization = call.authorization ?? token.map({ "Bearer \($0)" }), !authorization.isEmpty {
            request.headers.add(name: "Authorization", value: authorization)
        }
        for (name, value) in call.headers { request.headers.add(name: name, value: value) }
        if let body = call.body {
            request.headers.add(name: "Content-Type", value: call.contentType)
            request.body = .bytes(ByteBuffer(data: body))
        }
        do {
            let isImport = call.contentType != APIMedia.json
            let response = try await http.execute(request, timeout: isImport ? Self.importTimeout : Self.callTimeout)
            let body = try await response.body.collect(upTo: Self.replyBytesMax)
            return GatewayReply(
                status: Int(response.status.code), etag: response.headers.first(name: "ETag"),
                cookie: response.headers.first(name: "Set-Cookie")?.split(separator: ";").first.map(String.init),
                body: Data(buffer: body))
        } catch {
            throw AdminFailure(.unavailable, "\(base) cannot be reached")
        }
    }

    /// A reply that succeeded. Throws what a refusal means.
    @discardableResult
    func call(_ call: GatewayCall) async throws -> GatewayReply {
        let reply = try await exchange(call)
        guard !(200..<300).contains(reply.status) else { return reply }
        throw Self.failure(reply)
    }

    static func failure(_ reply: GatewayReply) -> AdminFailure {
        let problem = try? JSONDecoder().decode(ProblemDocument.self, from: reply.body)
        let code = problem?.code ?? ""
        let words =
            [problem?.detail, problem?.title].compactMap { $0 }.first { !$0.isEmpty }
            ?? "the gateway answered \(reply.status)"
        let sentence = words.plain + (code.isEmpty ? "" : " (\(code.plain))")
        let kind: AdminFailure.Kind =
            switch reply.status {
            case 401, 403: .refused
            case 404: .noInput
            case 429: .tryLater
            case 503: .unavailable
            case 400..<500: .badData
            default: .unexpectedReply
            }
        return AdminFailure(kind, sentence, code: code)
    }

    private static func text(of query: [(String, String?)]) -> String {
        let members = query.compactMap { name, value in value.map { "\(encoded(name))=\(encoded($0))" } }
        return members.isEmpty ? "" : "?" + members.joined(separator: "&")
    }

    /// RFC 3986's unreserved characters stay.
    static func encoded(_ text: String) -> String {
        let kept = CharacterSet(charactersIn: "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
        return text.addingPercentEncoding(withAllowedCharacters: kept) ?? ""
    }
}
