import AsyncHTTPClient
import DeviceAPI
import Foundation
import NIOCore
import NIOFoundationCompat
import NIOHTTP1

/// What went wrong with one call, in words for the operator.
struct LoadTestError: Error, CustomStringConvertible {
    let description: String
}

/// The public API of one tenant, over one pool of connections. Nothing here knows the services.
struct PublicAPI: Sendable {
    static let replyBytesMax = 1 << 20
    /// Longer than the longest long-poll.
    static let timeout = TimeAmount.seconds(40)

    let http: HTTPClient
    let base: String

    struct Reply {
        let status: UInt
        let cookie: String?
        let body: Data

        func decoded<Body: Decodable>(_ type: Body.Type, expecting status: UInt, _ what: String) throws -> Body {
            guard self.status == status else {
                throw LoadTestError(
                    description: "\(what): HTTP \(self.status) \(String(decoding: body.prefix(300), as: UTF8.self))")
            }
            return try JSONDecoder().decode(type, from: body)
        }
    }

    func send(_ method: String, _ path: String, headers: [(String, String)] = [], body: (any Encodable)? = nil)
        async throws -> Reply
    {
        var request = HTTPClientRequest(url: base + path)
        request.method = .init(rawValue: method)
        request.headers.add(contentsOf: headers)
        if let body {
            request.headers.add(name: "Content-Type", value: APIMedia.json)
            request.body = .bytes(ByteBuffer(data: try JSONEncoder().encode(body)))
        }
        let response = try await http.execute(request, timeout: Self.timeout)
        let bytes = try await response.body.collect(upTo: Self.replyBytesMax)
        return Reply(
            status: response.status.code,
            cookie: response.headers.first(name: "Set-Cookie")?.split(separator: ";").first.map(String.init),
            body: Data(buffer: bytes))
    }
}

/// The credentials that `make run` writes.
struct DemoFile: Decodable {
    struct Client: Decodable {
        let id: String
        let secret: String

        var authorization: String { "Basic " + Data("\(id):\(secret)".utf8).base64EncodedString() }
    }
    struct Administrator: Decodable { let token: String }

    let base: String
    let tenant: String
    let client: Client
    let admin: Administrator
}
