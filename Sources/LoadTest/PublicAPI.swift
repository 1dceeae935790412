import AsyncHTTPClient
import DeviceAPI
import Foundation
import NIOCore
import NIOFoundationCompat
import NIOHTTP1
import Synchronization

/// What went wrong with one call.
struct CallFailure: Error, CustomStringConvertible {
    /// What is counted: the step and what became of it, without anything that differs from one sign-in to the next.
    let kind: String
    var detail = ""
    /// How long the gateway asks to wait before the next try.
    var retryAfter: Duration?
    /// Whether nobody answered for the gateway, or it said that it cannot serve now: the same call may be answered later.
    var isPassing = false

    var description: String { detail.isEmpty ? kind : "\(kind): \(detail)" }
}

/// Counts the requests of this process, those of phones included.
final class RequestMeter: Sendable {
    private let requests = Atomic(0)

    func count() { requests.add(1, ordering: .relaxed) }
    var total: Int { requests.load(ordering: .relaxed) }
}

/// The public API over one pool of connections. Nothing here knows the services.
struct PublicAPI: Sendable {
    static let replyBytesMax = 1 << 20
    /// Longer than the longest long-poll.
    static let timeout = TimeAmount.seconds(40)
    /// Bad gateway and gateway timeout, which a proxy says, and unavailable (RFC 9110 section 15.6).
    private static let passing: Set<UInt> = [502, 503, 504]

    let http: HTTPClient
    let base: String
    let meter: RequestMeter

    struct Reply {
        let status: UInt
        let headers: HTTPHeaders
        let body: ByteBuffer
        let step: String

        /// The body of a reply with the status `status`; throws for every other, naming the step, the status and the problem's code.
        func decoded<Body: Decodable>(_ type: Body.Type, expecting status: UInt) throws -> Body {
            try expect(status)
            do {
                return try JSONDecoder().decode(type, from: body)
            } catch {
                throw CallFailure(kind: "\(step): unreadable reply", detail: "\(error)")
            }
        }

        func expect(_ status: UInt) throws(CallFailure) {
            guard self.status != status else { return }
            let problem = try? JSONDecoder().decode(ProblemDocument.self, from: body)
            throw CallFailure(
                kind: "\(step): \(self.status) \(problem?.code ?? "")".trimmed, detail: problem?.detail ?? "",
                retryAfter: headers.first(name: "Retry-After").flatMap { Int64($0) }.map { .seconds($0) },
                isPassing: PublicAPI.passing.contains(self.status))
        }
    }

    /// `step` names the call in what is counted when it fails.
    func send(
        _ step: String, _ method: HTTPMethod, _ path: String, headers: [(String, String)] = [],
        body: (any Encodable)? = nil
    ) async throws(CallFailure) -> Reply {
        var request = HTTPClientRequest(url: base + path)
        request.method = method
        request.headers.add(contentsOf: headers)
        do {
            if let body {
                request.headers.add(name: "Content-Type", value: APIMedia.json)
                request.body = .bytes(ByteBuffer(data: try JSONEncoder().encode(body)))
            }
            meter.count()
            let response = try await http.execute(request, timeout: Self.timeout)
            let bytes = try await response.body.collect(upTo: Self.replyBytesMax)
            return Reply(status: response.status.code, headers: response.headers, body: bytes, step: step)
        } catch let error as HTTPClientError {
            throw CallFailure(kind: "\(step): \(error.shortDescription.lowercased())", isPassing: true)
        } catch {
            throw CallFailure(kind: "\(step): connection failed", detail: "\(error)", isPassing: true)
        }
    }
}
