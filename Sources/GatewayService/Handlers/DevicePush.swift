import DeviceAPI
import Domain
import HTTPTypes
import Messaging
import SwiftProtobuf
import Wire

/// How one device is woken when it holds no event stream: what it subscribes by, and an administrator's test of it.
struct DevicePush: Sendable {
    let edge: Edge

    func read(_ inbound: Inbound) async throws -> Reply {
        let device = try await edge.authentication.device(inbound)
        let key = try await edge.caller.call(
            ReadPushKey.with { $0.tenant = inbound.tenant.rawValue }, inbound.context())
        let record = try await edge.device(device.deviceID, inbound)
        return try .json(
            .ok,
            PushState(
                transport: PushTransport(rawValue: record.push.transport) ?? .none,
                applicationServerKey: key.applicationServerKey.nonEmpty))
    }

    /// A provider's refusal is a reply like any other: it is what was asked for. Throws `not_found`, and `malformed` for a device that has no
    /// push address.
    func check(_ inbound: Inbound) async throws -> Reply {
        _ = try await edge.authentication.administrator(inbound)
        let record = try await edge.device(inbound.parameter("device"), inbound)
        guard record.personID == inbound.parameter("user") else { throw ServiceError(.notFound, "no such device") }
        guard let transport = PushTransport(rawValue: record.push.transport), transport != .none else {
            throw ServiceError(.malformed, "the device has no push address")
        }
        let reply = try await edge.caller.call(
            TestPush.with {
                $0.tenant = inbound.tenant.rawValue
                $0.deviceID = record.id
                $0.push = record.push
            }, inbound.context())
        return try .json(
            .ok,
            PushCheck(
                transport: transport, outcome: reply.outcome, status: reply.status == 0 ? nil : Int(reply.status),
                reason: reply.reason.nonEmpty, latencyMilliseconds: Int(reply.latencyMs)))
    }
}
