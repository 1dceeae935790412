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
        let (patch, ifMatch) = try Self.conditionalPatch(inbound)
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

    /// A merge patch with the entity tag that it is based on. Throws `malformed` and `precondition_required`.
    static func conditionalPatch(_ inbound: Inbound) throws(ServiceError) -> (patch: [UInt8], ifMatch: String) {
        let patch = try Self.patch(inbound)
        guard let ifMatch = inbound.headers[.ifMatch] else {
            throw ServiceError(.preconditionRequired, "If-Match is needed")
        }
        return (patch, ifMatch)
    }

    /// A merge patch (RFC 7396). Throws `malformed`.
    private static func patch(_ inbound: Inbound) throws(ServiceError) -> [UInt8] {
        // Members are policy's to know; here only the text is looked over.
        try JSONBody.check(inbound.body, against: .value)
        return inbound.body
    }

    /// How long everybody of a large directory may take to be judged.
    private static let previewTimeout = Duration.seconds(15)

    /// What a change would mean, in numbers of people; nothing is stored.
    func preview(_ inbound: Inbound) async throws -> Reply {
        _ = try await edge.authentication.administrator(inbound)
        let patch = try Self.patch(inbound)
        let reply = try await edge.caller.call(
            PreviewPolicy.with {
                $0.tenant = inbound.tenant.rawValue
                $0.mergePatch = Data(patch)
            }, inbound.context(wait: Self.previewTimeout))
        let modes = reply.modes.map { mode in
            PreviewedModes(
                before: mode.before.nonEmpty, after: mode.after.nonEmpty, people: Int(clamping: mode.people),
                withDevice: Int(clamping: mode.withDevice), withPhoneSignIn: Int(clamping: mode.withPhoneSignIn))
        }
        return try .json(
            .ok, PolicyPreview(etag: reply.etag, people: modes.reduce(0) { $0 + $1.people }, modes: modes))
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
        let verdict = try edge.tenants.tenant(inbound.tenant).policy.verdict(on: reply.person)
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
