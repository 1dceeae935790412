import DeviceAPI
import Domain
import HTTPTypes
import Messaging
import ServiceKit
import SwiftProtobuf
import Wire

/// `POST …/challenges/{id}/answer`: no caller authentication, because the answer authenticates itself.
struct Answers: Sendable {
    let edge: Edge

    func answer(_ inbound: Inbound) async throws -> Reply {
        _ = try edge.tenants.tenant(inbound.tenant)
        let body = try inbound.decode(AnswerRequest.self)
        let reply = try await edge.caller.call(
            VerifyAnswer.with {
                $0.tenant = inbound.tenant.rawValue
                $0.challengeID = inbound.parameter("challenge")
                $0.answer = body.answer
                $0.audience = edge.audience(inbound.tenant)
            }, inbound.context())
        guard let status = ChallengeStatus(rawValue: reply.status) else {
            throw ServiceError(.internal, "unknown status \(reply.status)")
        }
        return try .json(.ok, AnswerReply(status: status, reason: DenialReason(rawValue: reply.reason)))
    }
}
