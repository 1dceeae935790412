import DeviceAPI
import Domain
import HTTPTypes
import Hummingbird
import Messaging
import Wire

/// One request as the handlers see it: routed, read, and named.
struct Inbound: Sendable {
    let method: HTTPRequest.Method
    /// As it was sent, without the query.
    let path: String
    let query: Query
    let headers: HTTPFields
    let parameters: [String: String]
    let body: [UInt8]
    /// The unread body of a route that takes uploads.
    let upload: Hummingbird.RequestBody?
    let originID: Domain.RequestID
    let trace: TraceContext
    let connection: Connection
    /// Who asks, as far as the proxies that are trusted say.
    let clientAddress: String
    let receivedAt: ContinuousClock.Instant
    /// How long an ordinary message may take.
    let callTimeout: Duration

    var tenant: TenantID { TenantID(parameters["tenant"] ?? "") }

    func parameter(_ name: String) -> String { parameters[name] ?? "" }

    /// Throws `malformed` or `unknown_member`. A body that is not there is the empty object.
    func decode<Body: APIRequest>(_ type: Body.Type) throws(ServiceError) -> Body {
        try JSONBody.decode(type, from: body.isEmpty ? Array("{}".utf8) : body)
    }

    /// The context of one message, whose reply may take `wait` longer than an ordinary one.
    func context(_ requestID: Domain.RequestID? = nil, wait: Duration = .zero) -> CallContext {
        CallContext(
            requestID: requestID ?? originID, originID: originID, deadline: .now + callTimeout + wait, trace: trace)
    }
}
