import DeviceAPI
import Domain
import HTTPTypes
import Messaging
import ServiceKit
import SwiftProtobuf
import Wire

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// The method policy in the shape of Microsoft Graph, and why it says what it says of a person.
struct AdminPolicy: Sendable {
    let edge: Edge

    func read(_ inbound: Inbound) async throws -> Reply {
        _ = try await edge.authentication.administrator(inbound)
        return try Self.reply(
            try await edge.caller.call(
                ReadPolicyDocument.with { $0.tenant = inbound.tenant.rawValue }, inbound.context()))
    }

    func change(_ inbound: Inbound) async throws -> Reply {
        let actor = try await edge.authentication.administrator(inbound)
        let (patch, ifMatch) = try Self.patch(inbound)
        return try Self.reply(
            try await edge.caller.call(
                ChangePolicyDocument.with {
                    $0.tenant = inbound.tenant.rawValue
                    $0.mergePatch = Data(patch)
                    $0.ifMatch = ifMatch
                    $0.actor = actor
                    $0.requestID = inbound.originID.description
                }, inbound.context()))
    }

    /// A merge patch (RFC 7396) with the entity tag that it is based on. Throws `malformed` and `precondition_required`.
    static func patch(_ inbound: Inbound) throws(ServiceError) -> (patch: [UInt8], ifMatch: String) {
        // Members are policy's to know; here only the text is looked over.
        try JSONScanner.check(inbound.body, against: .open)
        guard let first = inbound.body.first(where: { ![0x20, 0x0A, 0x0D, 0x09].contains($0) }), first == 0x7B else {
            throw ServiceError(.malformed, "the body is not a JSON object")
        }
        guard let ifMatch = inbound.headers[.ifMatch] else {
            throw ServiceError(.preconditionRequired, "If-Match is needed")
        }
        return (inbound.body, ifMatch)
    }

    static func reply(_ document: DocumentReply) throws -> Reply {
        .document(Array(document.json), headers: [.eTag: document.etag])
    }

    func explain(_ inbound: Inbound) async throws -> Reply {
        _ = try await edge.authentication.administrator(inbound)
        guard let username = inbound.query["user"], !username.isEmpty else {
            throw ServiceError(.malformed, "user is missing")
        }
        try SignIns.check(username: username)
        let reply = try await edge.caller.call(
            ResolvePerson.with {
                $0.tenant = inbound.tenant.rawValue
                $0.username = username
            }, inbound.context())
        guard reply.found else { throw ServiceError(.notFound, "there is no such user") }
        let verdict = try edge.tenants.tenant(inbound.tenant).policy.verdict(
            person: PersonID(reply.person.id), groups: Set(reply.person.groups.map { GroupID($0) }))
        return try .json(.ok, Explanation(reply.person.username, verdict))
    }
}

extension Explanation {
    init(_ user: String, _ verdict: PolicyVerdict) {
        self.init(
            user: user, mode: verdict.mode?.rawValue,
            decidingTarget: verdict.decidingTarget.map {
                ExplainedTarget(targetType: $0.targetType.rawValue, id: $0.id)
            },
            rules: verdict.rules.map { ExplainedRule(rule: $0.rule, result: $0.result) },
            features: ExplainedFeatures(
                displayAppInformation: verdict.showsApplication, displayLocationInformation: verdict.showsLocation,
                offlineCodes: verdict.allowsCodes))
    }
}
