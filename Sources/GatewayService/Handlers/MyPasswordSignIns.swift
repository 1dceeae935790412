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

/// What a person's password, or a pass, opened without a phone, newest first.
struct MyPasswordSignIns: Sendable {
    private static let listedMax = 20

    let edge: Edge

    func list(_ inbound: Inbound) async throws -> Reply {
        let session = try await edge.authentication.session(inbound)
        let reply = try await edge.caller.call(
            ListPasswordSignIns.with {
                $0.tenant = inbound.tenant.rawValue
                $0.personID = session.person.id
                $0.limit = UInt32(Self.listedMax)
            }, inbound.context())
        return try .json(.ok, Page(items: reply.signIns.map { OwnPasswordSignIn($0) }))
    }

    /// "This was not me": every other session of the person ends.
    func report(_ inbound: Inbound) async throws -> Reply {
        let session = try await edge.authentication.session(inbound)
        _ = try await edge.caller.call(
            ReportPasswordSignIn.with {
                $0.tenant = inbound.tenant.rawValue
                $0.personID = session.person.id
                $0.id = inbound.parameter("signIn")
                $0.tokenDigest = Data(edge.authentication.sessionDigest(inbound) ?? [])
            }, inbound.context())
        return .noContent
    }
}

extension OwnPasswordSignIn {
    fileprivate init(_ signIn: PasswordSignIn) {
        self.init(
            id: signIn.id, at: Timestamp(milliseconds: signIn.atMs),
            method: signIn.byPass ? .temporaryAccessPass : .password, ipAddress: signIn.context.ipAddress.nonEmpty,
            userAgent: signIn.context.userAgent.nonEmpty, reported: signIn.reported)
    }
}
