import Domain
import Messaging
import Proofs
import Secrets
import ServiceKit
import Storage
import SwiftProtobuf
import Wire

extension RegistrationService {
    /// A phone presents a ticket and proves that it holds a key. The ticket belongs to the first key from then on.
    func registerDevice(_ request: RegisterDevice, _ context: HandlerContext) async throws -> RegisterDeviceReply {
        let tenant = TenantID(request.tenant)
        let view = try tenants.tenant(tenant)
        // Before the proof is looked at, which is too old when a repeat comes late.
        if let reply = try await repeated(request, context, holdsSecret: true) { return reply }
        let facts = try DeviceInput.facts(request.facts)
        let push = try DeviceInput.push(request.push)
        let ticketDigest = sha256(Array(request.ticket.utf8))
        let isKnown = try await store.lookUp { try $0.activation(ticketDigest: ticketDigest, tenant: tenant) != nil }
        guard isKnown else { throw Self.registrationRefused }
        let key = try provenKey(request, skew: .seconds(view.settings.clockSkewSeconds))
        let phone = Phone(key: key.x963, facts: facts, push: push)
        return try await change(request, context, holdsSecret: true) { change in
            guard var activation = try change.records.activation(ticketDigest: ticketDigest, tenant: tenant),
                let person = try change.records.person(activation.person, tenant: tenant), !person.isBlocked
            else { throw Self.registrationRefused }
            let held = try activation.machine.device.flatMap { try change.records.device($0, tenant: tenant) }
            let device: StoredDevice
            switch activation.machine.registration(isSameKey: held?.publicKey == key.x963, at: change.at) {
            case .ticketUsed: throw ServiceError(.ticketUsed, "the ticket has been used")
            case .expired: throw ServiceError(.expired, "the ticket has expired")
            case .repeats:
                guard let held else { throw StorageError.corrupt }
                device = held
            case .registers:
                try Self.checkVersions(facts, view.settings)
                device = try Self.register(phone, for: person, &activation, view, change)
            }
            let (deviceRecord, personRecord) = (try device.record(change.vault), try change.records.record(person))
            let secret = try device.offlineSecret(change.vault)
            return RegisterDeviceReply.with {
                $0.device = deviceRecord
                $0.person = personRecord
                $0.tenantName = view.name
                $0.offlineCode = secret
            }
        }
    }

    private struct Phone: Sendable {
        let key: [UInt8]
        let facts: StoredDevice.Facts
        let push: DeviceInput.Push
    }

    /// One neutral text: it must not tell whether a ticket ever existed.
    private static let registrationRefused = ServiceError(.refused, "the activation is refused")

    private func provenKey(_ request: RegisterDevice, skew: Duration) throws(ServiceError) -> PublicKeyJWK {
        do {
            return try ActivationClaims.verify(
                request.proof, audience: request.audience, ticket: request.ticket, now: now(), skew: skew)
        } catch {
            switch error {
            case .expired: throw ServiceError(.clockSkew, "the proof was made too long ago, or in the future")
            case .malformed: throw ServiceError(.malformed, "the proof is not a proof of possession")
            default: throw Self.registrationRefused
            }
        }
    }

    static func checkVersions(_ facts: StoredDevice.Facts, _ settings: TenantSettings) throws(ServiceError) {
        guard
            let missed = settings.missedMinimum(
                platform: facts.platform, osVersion: facts.osVersion, appVersion: facts.appVersion)
        else { return }
        throw ServiceError(
            .updateRequired, "the \(missed.part == .app ? "app" : "operating system") must be updated first",
            members: ["minimum": missed.minimum])
    }

    /// Throws `tooManyDevices` where the person may not have one more.
    static func needRoom(for person: StoredPerson, _ view: TenantView, _ change: Change) throws {
        let devices = try change.records.devices(of: person.id, tenant: person.tenant)
        guard devices.count < view.settings.devicesPerPerson else {
            throw ServiceError(.tooManyDevices, "the person has as many devices as the tenant allows")
        }
    }

    private static func register(
        _ phone: Phone, for person: StoredPerson, _ activation: inout StoredActivation, _ view: TenantView,
        _ change: Change
    ) throws -> StoredDevice {
        let (tenant, id, challenge) = (person.tenant, DeviceID(Fresh.id()), ChallengeID(Fresh.id()))
        try needRoom(for: person, view, change)
        let device = StoredDevice(
            tenant: tenant, id: id, person: person.id, facts: phone.facts,
            push: StoredDevice.Push(
                transport: phone.push.transport,
                sealedAddress: try change.vault.seal(
                    phone.push.address(registeredAt: change.at), .push(tenant, id))),
            createdAt: change.at, publicKey: phone.key, keyDigest: sha256(phone.key), challenge: challenge,
            offlineCode: try offlineCode(view.settings, tenant, id, change.vault))
        try change.records.insert(device)
        activation.machine.take(id)
        activation.sealedTicket = []
        try change.records.update(activation)
        try change.call(
            .beginRegistration, tenant: tenant,
            DeviceInput.challenge(.registration, id: challenge, device, person, view, address: phone.push.address) {
                $0.expiresAtMs = activation.machine.expiresAt.milliseconds
            })
        try change.audit(
            .person(person), "device.register", tenant: tenant, target: id.rawValue,
            after: change.records.auditDocument(device))
        change.tell(tenant: tenant, device: id, person: person.id, mayListen: true)
        change.effects.activations.append(activation.id)
        return device
    }

    /// A secret as long as the algorithm's digest (RFC 4226 section 4, RFC 6238 section 5.1).
    private static func offlineCode(
        _ settings: TenantSettings, _ tenant: TenantID, _ id: DeviceID, _ vault: Vault
    ) throws -> StoredDevice.OfflineCode {
        let length =
            switch settings.offlineCodeAlgorithm {
            case .sha1: 20
            case .sha256: 32
            case .sha512: 64
            }
        return StoredDevice.OfflineCode(
            sealedSecret: try vault.seal(randomBytes(length), .offlineCode(tenant, id)),
            algorithm: settings.offlineCodeAlgorithm,
            digits: settings.offlineCodeDigits, period: settings.offlineCodePeriodSeconds)
    }
}
