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

/// Phone sign-in of one device: set up with a password or a pass and a number, read, disabled.
struct PhoneSignIn: Sendable {
    let edge: Edge

    func start(_ inbound: Inbound) async throws -> Reply {
        let device = try await edge.authentication.device(inbound)
        let body = try inbound.decode(PhoneSignInRequest.self)
        guard body.password == nil || body.temporaryAccessPass == nil else {
            throw ServiceError(.malformed, "password and temporaryAccessPass exclude each other")
        }
        let reply = try await edge.caller.call(
            StartPhoneSignIn.with {
                $0.tenant = inbound.tenant.rawValue
                $0.deviceID = device.deviceID
                $0.password = Data((body.password ?? "").utf8)
                $0.temporaryAccessPass = Data((body.temporaryAccessPass ?? "").utf8)
                $0.audience = edge.audience(inbound.tenant)
            }, inbound.context(try edge.effect(inbound, by: "device:\(device.deviceID)")))
        return try .json(.accepted, PhoneSignInStarted(challengeId: reply.challengeID, number: reply.number))
    }

    func read(_ inbound: Inbound) async throws -> Reply {
        let device = try await edge.authentication.device(inbound)
        let reply = try await edge.caller.call(
            ReadDevice.with {
                $0.tenant = inbound.tenant.rawValue
                $0.deviceID = device.deviceID
                $0.withSetUp = true
            }, inbound.context())
        let record = reply.device
        let isOn = reply.found && record.phoneSignIn
        return try .json(
            .ok,
            PhoneSignInState(
                enabled: isOn,
                createdDateTime: isOn && record.phoneSignInAtMs > 0
                    ? Timestamp(milliseconds: record.phoneSignInAtMs) : nil,
                refusal: reply.setUpRefusal.nonEmpty, needsCredential: reply.setUpNeedsCredential))
    }

    func disable(_ inbound: Inbound) async throws -> Reply {
        let device = try await edge.authentication.device(inbound)
        _ = try await edge.caller.call(
            DisablePhoneSignIn.with {
                $0.tenant = inbound.tenant.rawValue
                $0.deviceID = device.deviceID
                $0.actor = Devices.actor(device)
                $0.requestID = inbound.originID.description
            }, inbound.context())
        return .noContent
    }
}
