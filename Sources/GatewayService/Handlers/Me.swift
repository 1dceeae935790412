import DeviceAPI
import Domain
import HTTPTypes
import Messaging
import ServiceKit
import SwiftProtobuf
import Wire

/// What a person has, which of it they are offered first, and the removal of a device.
struct Me: Sendable {
    let edge: Edge

    func read(_ inbound: Inbound) async throws -> Reply {
        let session = try await edge.authentication.session(inbound)
        return try .json(.ok, try await own(session.person, inbound).document)
    }

    /// Throws `invalidValue` for a method that cannot be used now.
    func choose(_ inbound: Inbound) async throws -> Reply {
        let session = try await edge.authentication.session(inbound)
        let chosen = try inbound.decode(OwnChoice.self).defaultMethod
        let (usable, document) = try await own(session.person, inbound)
        guard usable.contains(chosen) else {
            throw ServiceError(
                .invalidValue, "this method cannot be used now", members: ["member": "defaultMethod"])
        }
        _ = try await edge.caller.call(
            ChooseDefaultMethod.with {
                $0.tenant = inbound.tenant.rawValue
                $0.personID = session.person.id
                $0.method = chosen.rawValue
            }, inbound.context())
        var changed = document
        changed.defaultMethod = chosen
        return try .json(.ok, changed)
    }

    private func own(_ person: PersonRecord, _ inbound: Inbound) async throws
        -> (usable: [DefaultMethod], document: OwnMethods)
    {
        let (own, verdict) = try await judged(person, inbound)
        let devices = try own.devices.filter { $0.state != DeviceState.removed.rawValue }.map { try DeviceDocument($0) }
        let active = devices.filter { $0.state == .active }
        var usable: [DefaultMethod] = []
        if verdict.allowsPush(.passwordless), active.contains(where: { $0.phoneSignIn.createdDateTime != nil }) {
            usable.append(.phoneSignIn)
        }
        if verdict.allowsPush(.secondFactor), !active.isEmpty { usable.append(.push) }
        if verdict.allowsCodes, !active.isEmpty { usable.append(.code) }
        let others = (own.hasPassword_p ? ["password"] : []) + (own.hasPass_p ? ["temporaryAccessPass"] : [])
        let document = OwnMethods(
            person: PersonView(own.person), methods: usable.map(\.rawValue) + others, devices: devices,
            defaultMethod: .resolved(chosen: DefaultMethod(rawValue: own.defaultMethod), usable: usable))
        return (usable, document)
    }

    private func judged(_ person: PersonRecord, _ inbound: Inbound) async throws -> (
        ReadOwnMethodsReply, PolicyVerdict
    ) {
        let tenant = try edge.tenants.tenant(inbound.tenant)
        let own = try await edge.caller.call(
            ReadOwnMethods.with {
                $0.tenant = inbound.tenant.rawValue
                $0.personID = person.id
            }, inbound.context())
        return (own, tenant.policy.verdict(on: own.person))
    }

    func verdict(on person: PersonRecord, _ inbound: Inbound) async throws -> PolicyVerdict {
        try await judged(person, inbound).1
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

extension AuthenticatorPolicy {
    /// What it says of a person as registration knows them.
    func verdict(on person: PersonRecord) -> PolicyVerdict {
        verdict(person: PersonID(person.id), groups: Set(person.groups.map { GroupID($0) }))
    }
}
