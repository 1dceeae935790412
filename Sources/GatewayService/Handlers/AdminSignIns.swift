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
            Page(items: reply.entries.compactMap { SignInLogEntry($0) }, next: reply.next.isEmpty ? nil : reply.next))
    }
}

extension SignInLogEntry {
    /// Nil for words that this version does not know.
    init?(_ entry: SignInEntry) {
        guard let purpose = Purpose(rawValue: entry.purpose), let status = ChallengeStatus(rawValue: entry.status)
        else { return nil }
        func present(_ text: String) -> String? { text.isEmpty ? nil : text }
        let settled = entry.settledAtMs == 0 ? nil : entry.settledAtMs
        self.init(
            id: entry.id, at: Timestamp(milliseconds: entry.atMs), username: entry.username,
            userId: present(entry.personID),
            factor: present(entry.factor), purpose: purpose, application: present(entry.application), status: status,
            reason: present(entry.reason), method: SignInMethod(rawValue: entry.method),
            deviceId: present(entry.deviceID),
            deviceName: present(entry.deviceName), ipAddress: present(entry.ipAddress),
            userAgent: present(entry.userAgent),
            settledAt: settled.map { Timestamp(milliseconds: $0) },
            latencyMilliseconds: settled.map { Int($0 - entry.atMs) },
            clientId: present(entry.clientID), requestId: present(entry.requestID), decoy: entry.decoy,
            silenced: entry.silenced)
    }
}
