import DeviceAPI
import Domain
import HTTPTypes
import Messaging
import ServiceKit
import SwiftProtobuf
import Wire

/// What a person has, and the removal of a device.
struct Me: Sendable {
    let edge: Edge

    func read(_ inbound: Inbound) async throws -> Reply {
        let session = try await edge.authentication.session(inbound)
        let tenant = try edge.tenants.tenant(inbound.tenant)
        let own = try await edge.caller.call(
            ReadOwnMethods.with {
                $0.tenant = inbound.tenant.rawValue
                $0.personID = session.person.id
            }, inbound.context())
        let verdict = tenant.policy.verdict(
            person: PersonID(own.person.id), groups: Set(own.person.groups.map { GroupID($0) }))
        let devices = try own.devices.filter { $0.state != DeviceState.removed.rawValue }.map { try DeviceDocument($0) }
        let active = devices.filter { $0.state == .active }
        var usable: [String] = []
        if verdict.allowsPush(.passwordless), active.contains(where: { $0.phoneSignIn.createdDateTime != nil }) {
            usable.append("phoneSignIn")
        }
        if verdict.allowsPush(.secondFactor), !active.isEmpty { usable.append("push") }
        if verdict.allowsCodes, !active.isEmpty { usable.append("code") }
        let methods = usable + (own.hasPassword_p ? ["password"] : []) + (own.hasPass_p ? ["temporaryAccessPass"] : [])
        return try .json(
            .ok,
            OwnMethods(person: PersonView(own.person), methods: methods, devices: devices, defaultMethod: usable.first))
    }

    func removeDevice(_ inbound: Inbound) async throws -> Reply {
        let session = try await edge.authentication.session(inbound)
        _ = try await edge.caller.call(
            RemoveDevice.with {
                $0.tenant = inbound.tenant.rawValue
                $0.deviceID = inbound.parameter("device")
                $0.personID = session.person.id
                $0.actor = Authentication.actor(session.person)
                $0.requestID = inbound.originID.description
            }, inbound.context())
        return .noContent
    }
}
