import Domain
import Logging
import Messaging
import ServiceKit
import Storage
import Wire

extension RegistrationService {
    /// How long a device that was activated in a pass's session may set up phone sign-in without a password.
    private static let grantLifetime = WebSessionRules.longest

    /// The effect of a settled request. Harmless when repeated: challenge sends it until it has a reply.
    func confirmDevice(_ request: ConfirmDevice, _ context: HandlerContext) async throws -> Wire.Empty {
        let tenant = TenantID(request.tenant)
        switch Purpose(rawValue: request.purpose) {
        case .registration:
            try await apply(context) { try Self.confirmRegistration(request, tenant, $0) }
        case .phoneSignInSetup:
            let isLifted = try tenants.tenant(tenant).settings.phoneSignInInSeveralTenants
            try await apply(context) { try Self.confirmSetup(request, tenant, isLifted: isLifted, $0) }
        default:
            throw ServiceError(.malformed, "only registration and phoneSignInSetup are confirmed")
        }
        return Wire.Empty()
    }

    private static func confirmRegistration(_ request: ConfirmDevice, _ tenant: TenantID, _ change: Change) throws {
        let id = DeviceID(request.deviceID)
        guard var device = try change.records.device(id, tenant: tenant),
            device.challenge.rawValue == request.challengeID
        else { return }
        guard request.approved else { return try endRegistration(id, tenant: tenant, change) }
        guard var activation = try change.records.activation(device: id, tenant: tenant),
            activation.machine.confirm(approved: true) == .activates
        else { return }
        activation.sealedNumber = []
        try change.records.update(activation)
        if let session = activation.session { try endOthers(of: device, than: session, change) }
        device.state = .active
        device.use(at: change.at)
        if let session = activation.passSession,
            try change.records.takeGrant(session: session, tenant: tenant, device: id, at: change.at)
        {
            device.grantedUntil = change.at + grantLifetime
        }
        try change.records.update(device)
        try change.audit(
            .device(device), "device.activate", tenant: tenant, target: id.rawValue,
            after: change.records.auditDocument(device))
        change.tell(tenant: tenant, device: id, person: device.person, mayListen: true)
        change.effects.activations.append(activation.id)
    }

    /// From their first phone on a person's sign-ins need it. What a password alone has opened elsewhere before would go round that.
    private static func endOthers(of device: StoredDevice, than session: String, _ change: Change) throws {
        let (records, tenant) = (change.records, device.tenant)
        let isFirst = try !records.devices(of: device.person, tenant: tenant).contains { $0.state == .active }
        guard isFirst, let person = try records.person(device.person, tenant: tenant) else { return }
        let ended = EndedElsewhere(
            sessions: try records.deleteSessions(of: person.id, tenant: tenant, exceptID: session),
            activations: try endActivations(of: person, except: session, .device(device), change))
        guard !ended.isNothing else { return }
        try change.audit(
            .device(device), SessionAction.endOthers, tenant: tenant, target: person.id.rawValue,
            after: ended.auditDocument(of: person))
    }

    /// Removes a device that was not confirmed, and ends its activation.
    static func endRegistration(_ id: DeviceID, tenant: TenantID, _ change: Change) throws {
        if var activation = try change.records.activation(device: id, tenant: tenant) {
            guard activation.machine.confirm(approved: false) == .removes else { return }
            activation.sealedNumber = []
            try change.records.update(activation)
            change.effects.activations.append(activation.id)
        }
        guard let device = try change.records.device(id, tenant: tenant), device.state == .awaitingConfirmation else {
            return
        }
        try change.records.deleteDevice(id, tenant: tenant)
        try change.audit(
            .device(device), "device.discard", tenant: tenant, target: id.rawValue,
            before: change.records.auditDocument(device))
        change.tell(tenant: tenant, device: id, person: device.person, mayListen: false)
    }

    private static func confirmSetup(_ request: ConfirmDevice, _ tenant: TenantID, isLifted: Bool, _ change: Change)
        throws
    {
        guard var setup = try change.records.setup(ChallengeID(request.challengeID), tenant: tenant),
            setup.device.rawValue == request.deviceID, !setup.isDone
        else { return }
        setup.isDone = true
        try change.records.save(setup)
        guard request.approved, var device = try change.records.device(setup.device, tenant: tenant),
            device.state == .active,
            device.phoneSignInAt == nil
        else { return }
        // Asked again here: another tenant may have become the one since the request was begun.
        try checkOneTenant(device, isLifted: isLifted, change.records)
        let before = try change.records.auditDocument(device)
        device.phoneSignInAt = change.at
        device.isExclusive = !isLifted
        device.grantedUntil = nil
        device.use(at: change.at)
        do {
            try change.records.update(device)
        } catch StorageError.alreadyExists {
            throw singleTenant
        }
        try change.audit(
            .device(device), "phone-sign-in.enable", tenant: tenant, target: device.id.rawValue, before: before,
            after: change.records.auditDocument(device))
        change.tell(tenant: tenant, device: device.id, person: device.person, mayListen: true)
    }

    static let singleTenant = ServiceError(
        .singleTenant,
        "a device can be enabled for phone sign-in for one account in one tenant only, and this device is enabled for another"
    )

    /// One key, one account, one tenant. A tenant may lift the last part for itself, never the second.
    static func checkOneTenant(_ device: StoredDevice, isLifted: Bool, _ records: any RegistrationRecords) throws {
        let others = try records.phoneSignIns(keyDigest: device.keyDigest).filter {
            ($0.tenant, $0.id) != (device.tenant, device.id)
        }
        if others.contains(where: { !isLifted || $0.tenant == device.tenant }) { throw singleTenant }
    }
}
