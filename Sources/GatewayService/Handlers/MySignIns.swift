import DeviceAPI
import Domain
import HTTPTypes
import Messaging
import SwiftProtobuf
import Wire

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// A person's own sign-ins, newest first.
struct MySignIns: Sendable {
    let edge: Edge

    func list(_ inbound: Inbound) async throws -> Reply {
        let session = try await edge.authentication.session(inbound)
        let page = try inbound.query.page
        let reply = try await edge.caller.call(
            ListSignIns.with {
                $0.tenant = inbound.tenant.rawValue
                $0.username = session.person.username
                $0.page = page
            }, inbound.context())
        // The name may have been another person's before: the id decides.
        let own = reply.entries.filter { $0.personID == session.person.id }
        return try .json(
            .ok, Page(items: own.compactMap { OwnSignIn($0) }, next: reply.next.nonEmpty))
    }

    /// "This was not me": what of it is open ends, and so does every other session of the person. Whoever signed in may hold one, so that
    /// sessions end first: a report that fails after that leaves the sign-in as it was, and can be made again. Before all that challenge
    /// says that the sign-in is the person's: nobody's other sessions end by an id that they made up, and no other's sign-in by theirs.
    func report(_ inbound: Inbound) async throws -> Reply {
        let session = try await edge.authentication.session(inbound)
        _ = try await edge.caller.call(
            CheckSignIn.with {
                $0.tenant = inbound.tenant.rawValue
                $0.personID = session.person.id
                $0.challengeID = inbound.parameter("signIn")
            }, inbound.context())
        _ = try await edge.caller.call(
            EndOtherSessions.with {
                $0.tenant = inbound.tenant.rawValue
                $0.personID = session.person.id
                $0.tokenDigest = Data(edge.authentication.sessionDigest(inbound) ?? [])
                $0.challengeID = inbound.parameter("signIn")
            }, inbound.context())
        _ = try await edge.caller.call(
            ReportSignIn.with {
                $0.tenant = inbound.tenant.rawValue
                $0.personID = session.person.id
                $0.challengeID = inbound.parameter("signIn")
            }, inbound.context())
        return .noContent
    }
}

extension OwnSignIn {
    /// Nil for words that this version does not know. The reason is what the person did: why a request never rang is for
    /// administrators.
    init?(_ entry: SignInEntry) {
        guard let purpose = Purpose(rawValue: entry.purpose), let status = ChallengeStatus(rawValue: entry.status)
        else { return nil }
        self.init(
            id: entry.id, at: Timestamp(milliseconds: entry.atMs), purpose: purpose,
            application: entry.application.nonEmpty, status: status, reason: DenialReason(rawValue: entry.reason),
            method: SignInMethod(rawValue: entry.method), deviceId: entry.deviceID.nonEmpty,
            deviceName: entry.deviceName.nonEmpty, ipAddress: entry.ipAddress.nonEmpty,
            userAgent: entry.userAgent.nonEmpty,
            settledAt: Timestamp(sent: entry.settledAtMs))
    }
}
