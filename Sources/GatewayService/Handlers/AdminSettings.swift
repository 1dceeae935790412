import DeviceAPI
import Domain
import Messaging
import SwiftProtobuf
import Wire

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// A tenant's limits: one member a rule.
struct AdminSettings: Sendable {
    let edge: Edge

    func read(_ inbound: Inbound) async throws -> Reply {
        _ = try await edge.authentication.administrator(inbound)
        return try AdminPolicy.reply(
            try await edge.caller.call(ReadSettings.with { $0.tenant = inbound.tenant.rawValue }, inbound.context()))
    }

    func change(_ inbound: Inbound) async throws -> Reply {
        let actor = try await edge.authentication.administrator(inbound)
        let (patch, ifMatch) = try AdminPolicy.conditionalPatch(inbound)
        return try AdminPolicy.reply(
            try await edge.caller.call(
                ChangeSettings.with {
                    $0.tenant = inbound.tenant.rawValue
                    $0.mergePatch = Data(patch)
                    $0.ifMatch = ifMatch
                    $0.actor = actor
                    $0.requestID = inbound.originID.description
                }, inbound.context()))
    }
}
