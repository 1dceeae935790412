import Domain
import Messaging
import Secrets
import Storage
import SwiftProtobuf
import Wire

extension RegistrationService {
    func changeDevice(_ request: ChangeDevice, _ context: HandlerContext) async throws -> DeviceReply {
        let tenant = TenantID(request.tenant)
        let name = request.hasName ? try DeviceInput.name(request.name) : nil
        let osVersion = request.hasOsVersion ? try DeviceInput.version(request.osVersion, "osVersion") : nil
        let appVersion = request.hasAppVersion ? try DeviceInput.version(request.appVersion, "appVersion") : nil
        let push = request.hasPush ? try DeviceInput.push(request.push) : nil
        return try await change(request, context) { change in
            var device = try change.records.needDevice(request.deviceID, tenant: tenant)
            guard device.state == .active else { throw ServiceError(.refused, "the device is not active yet") }
            let before = try change.records.auditDocument(device)
            device.facts.name = name ?? device.facts.name
            device.facts.osVersion = osVersion ?? device.facts.osVersion
            device.facts.appVersion = appVersion ?? device.facts.appVersion
            if let push {
                device.push = StoredDevice.Push(
                    transport: push.transport,
                    sealedAddress: try change.vault.seal(
                        push.address(registeredAt: change.at), .push(tenant, device.id)))
            }
            device.use(at: change.at)
            try change.records.update(device)
            try change.audit(
                .device(device), "device.change", tenant: tenant, target: device.id.rawValue, before: before,
                after: change.records.auditDocument(device))
            change.tell(tenant: tenant, device: device.id, person: device.person, mayListen: true)
            let record = try device.record(change.vault)
            return DeviceReply.with { $0.device = record }
        }
    }

    /// A provider does not know the address any more. Whatever the phone has registered since stays.
    func dropPushAddress(_ request: DropPushAddress, _ context: HandlerContext) async throws -> Wire.Empty {
        let tenant = TenantID(request.tenant)
        return try await change(request, context) { change in
            guard var device = try change.records.device(DeviceID(request.deviceID), tenant: tenant),
                device.push.transport.rawValue == request.transport, device.push.transport != .none,
                sha256(try change.vault.open(device.push.sealedAddress, .push(tenant, device.id)))
                    == Array(request.addressDigest)
            else { return Wire.Empty() }
            let before = try change.records.auditDocument(device)
            device.push = StoredDevice.Push(
                transport: .none, sealedAddress: try change.vault.seal([], .push(tenant, device.id)))
            try change.records.update(device)
            try change.audit(
                .notifier, "device.drop-push-address", tenant: tenant, target: device.id.rawValue, before: before,
                after: change.records.auditDocument(device))
            change.tell(
                tenant: tenant, device: device.id, person: device.person, mayListen: device.state == .active)
            return Wire.Empty()
        }
    }

    func removeDevice(_ request: RemoveDevice, _ context: HandlerContext) async throws -> Wire.Empty {
        let tenant = TenantID(request.tenant)
        return try await change(request, context) { change in
            let device = try change.records.needDevice(request.deviceID, tenant: tenant)
            guard request.personID.isEmpty || request.personID == device.person.rawValue else {
                throw ServiceError(.notFound, "no such device")
            }
            try Self.remove(device, request.actor, change)
            try change.cancelRequests(.deviceRemoved, tenant: tenant, person: device.person, device: device.id)
            return Wire.Empty()
        }
    }

    /// Removes a device, whatever its state, and ends an activation that still waited for it.
    static func remove(_ device: StoredDevice, _ actor: Actor, _ change: Change) throws {
        if var activation = try change.records.activation(device: device.id, tenant: device.tenant) {
            activation.machine.end()
            activation.sealedNumber = []
            try change.records.update(activation)
            change.effects.activations.append(activation.id)
        }
        try change.records.deleteDevice(device.id, tenant: device.tenant)
        try change.audit(
            actor, "device.remove", tenant: device.tenant, target: device.id.rawValue,
            before: change.records.auditDocument(device))
        change.tell(tenant: device.tenant, device: device.id, person: device.person, mayListen: false)
    }
}
