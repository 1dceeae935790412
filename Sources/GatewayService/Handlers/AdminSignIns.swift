import DeviceAPI
import Domain
import HTTPTypes
import Messaging
import SwiftProtobuf
import Wire

/// The sign-in log: every request, its outcome, and the exact reason.
struct AdminSignIns: Sendable {
    let edge: Edge

    func list(_ inbound: Inbound) async throws -> Reply {
        let query = inbound.query
        let (page, from, to) = (try query.page, try query.time("from"), try query.time("to"))
        let status = query["status"] ?? ""
        guard status.isEmpty || ChallengeStatus(rawValue: status) != nil else {
            throw ServiceError(.malformed, "status is not a status of a request")
        }
        _ = try await edge.authentication.administrator(inbound)
        let reply = try await edge.caller.call(
            ListSignIns.with {
                $0.tenant = inbound.tenant.rawValue
                $0.username = query["user"] ?? ""
                $0.status = status
                $0.fromMs = from?.milliseconds ?? 0
                $0.toMs = to?.milliseconds ?? 0
                $0.page = page
            }, inbound.context())
        return try .json(
            .ok,
            Page(items: reply.entries.compactMap { SignInLogEntry($0) }, next: reply.next.nonEmpty))
    }
}

extension SignInLogEntry {
    /// Nil for words that this version does not know.
    init?(_ entry: SignInEntry) {
        guard let purpose = Purpose(rawValue: entry.purpose), let status = ChallengeStatus(rawValue: entry.status)
        else { return nil }
        let settled = entry.settledAtMs == 0 ? nil : entry.settledAtMs
        self.init(
            id: entry.id, at: Timestamp(milliseconds: entry.atMs), username: entry.username,
            userId: entry.personID.nonEmpty,
            factor: entry.factor.nonEmpty, purpose: purpose, application: entry.application.nonEmpty, status: status,
            reason: entry.reason.nonEmpty, method: SignInMethod(rawValue: entry.method),
            deviceId: entry.deviceID.nonEmpty,
            deviceName: entry.deviceName.nonEmpty, ipAddress: entry.ipAddress.nonEmpty,
            userAgent: entry.userAgent.nonEmpty,
            settledAt: settled.map { Timestamp(milliseconds: $0) },
            latencyMilliseconds: settled.map { Int($0 - entry.atMs) },
            clientId: entry.clientID.nonEmpty, requestId: entry.requestID.nonEmpty, decoy: entry.decoy,
            silenced: entry.silenced)
    }
}
