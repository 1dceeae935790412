import DeviceAPI
import Domain
import HTTPTypes
import Messaging
import Secrets
import ServiceKit
import SwiftProtobuf
import Wire

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// `POST /v1/{tenant}/token`: RFC 6749 section 4.4, client credentials.
struct Token: Sendable {
    let edge: Edge

    func issue(_ inbound: Inbound) async throws -> Reply {
        _ = try edge.tenants.tenant(inbound.tenant)
        let form = try Query(String(decoding: inbound.body, as: UTF8.self))
        guard let grant = form["grant_type"] else {
            return try Self.problem(.badRequest, "invalid_request", "grant_type is missing")
        }
        guard grant == "client_credentials" else {
            return try Self.problem(.badRequest, "unsupported_grant_type", "only client_credentials")
        }
        var id = form["client_id"] ?? ""
        var secret = form["client_secret"] ?? ""
        switch Credentials(inbound.headers) {
        case .basic(let basicID, let basicSecret):
            // RFC 6749 section 2.3: one method of authentication in each request.
            guard secret.isEmpty, id.isEmpty || id == basicID else {
                return try Self.problem(
                    .badRequest, "invalid_request", "the credentials are in the header and in the form")
            }
            (id, secret) = (basicID, basicSecret)
        case .none: break
        default: (id, secret) = ("", "")
        }
        guard !id.isEmpty, !secret.isEmpty else { return try Self.invalidClient() }
        do {
            let reply = try await edge.caller.call(
                IssueToken.with {
                    $0.tenant = inbound.tenant.rawValue
                    $0.clientID = id
                    $0.secretDigest = Data(sha256(Array(secret.utf8)))
                }, inbound.context(try edge.effect(inbound, by: "client:\(id)")))
            return try .json(
                .ok, TokenReply(accessToken: reply.token, tokenType: "Bearer", expiresIn: Int(reply.expiresIn)))
        } catch let error as ServiceError {
            switch error.code {
            case .notAuthenticated, .invalidCredentials, .notFound, .refused: return try Self.invalidClient()
            default: throw error
            }
        }
    }

    /// RFC 6749 section 5.2: the one place whose problems are not problem documents, because that standard says how they look.
    private static func invalidClient() throws -> Reply {
        var reply = try problem(.unauthorized, "invalid_client", "the credentials are missing or not valid")
        reply.headers[.wwwAuthenticate] = Route.Access.client.rawValue
        return reply
    }

    private static func problem(_ status: HTTPResponse.Status, _ error: String, _ description: String) throws -> Reply {
        try .json(status, TokenProblem(error: error, errorDescription: description))
    }
}
