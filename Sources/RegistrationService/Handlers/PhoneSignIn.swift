import Domain
import Messaging
import ServiceKit
import Storage
import SwiftProtobuf
import Wire

extension RegistrationService {
    func startPhoneSignIn(_ request: StartPhoneSignIn, _ context: HandlerContext) async throws -> StartPhoneSignInReply
    {
        let tenant = TenantID(request.tenant)
        let view = try tenants.tenant(tenant)
        let (password, pass) = (Array(request.password), Array(request.temporaryAccessPass))
        guard password.isEmpty || pass.isEmpty else {
            throw ServiceError(.malformed, "at most one of password and temporaryAccessPass is needed")
        }
        let (_, person, _) = try await store.read { try Self.mayStart(DeviceID(request.deviceID), view, $0) }
        var proven: Proven?
        if !password.isEmpty || !pass.isEmpty {
            let claim = pass.isEmpty ? Claim.password(password) : .pass(pass)
            let use = CredentialUse(.phoneSignInSetup, context)
            switch try await prove(claim, username: person.username, tenant: tenant, for: use) {
            case .proven(let claim): proven = claim
            case .refused(let refusal):
                // As at a session: a pass that the first of two equal calls has used up.
                guard let reply = try await repeated(request, context) else {
                    refused(refusal)
                    throw Self.credentialRefused
                }
                return try await beginSetup(reply, request, context, view)
            }
        }
        let reply = try await commitSetup(request, context, view, proven)
        return try await beginSetup(reply, request, context, view)
    }

    /// Refused and not unauthenticated: the device has proved who it is.
    private static let credentialRefused = ServiceError(
        .refused, "the password or the pass is not right", members: ["reason": "credential"])

    /// Commits that the device asked, and uses up what it showed. The reply has no number yet.
    private func commitSetup(
        _ request: StartPhoneSignIn, _ context: HandlerContext, _ view: TenantView, _ proven: Proven?
    ) async throws -> StartPhoneSignInReply {
        try await change(request, context) { change in
            var (device, _, _) = try Self.mayStart(DeviceID(request.deviceID), view, change.records)
            if let proven {
                guard proven.person.id == device.person, try Self.consume(proven, change) else {
                    throw Self.credentialRefused
                }
            } else {
                guard device.isGranted(at: change.at) else { throw Self.credentialRefused }
                // Once: what was begun without a password is not begun a second time.
                device.grantedUntil = nil
                try change.records.update(device)
            }
            let setup = StoredSetup(
                tenant: device.tenant, challenge: ChallengeID(Fresh.id()), device: device.id, createdAt: change.at)
            try change.records.save(setup)
            return StartPhoneSignInReply.with { $0.challengeID = setup.challenge.rawValue }
        }
    }

    /// Begins the committed set-up's request. A repeat begins the same one, by its id, and gets the same number.
    private func beginSetup(
        _ reply: StartPhoneSignInReply, _ request: StartPhoneSignIn, _ context: HandlerContext, _ view: TenantView
    ) async throws -> StartPhoneSignInReply {
        let vault = vault
        let challenge = ChallengeID(reply.challengeID)
        let begin = try await store.read { records in
            let (device, person, _) = try Self.mayStart(DeviceID(request.deviceID), view, records)
            let address = try Array(device.record(vault).push.address)
            return DeviceInput.challenge(.phoneSignInSetup, id: challenge, device, person, view, address: address)
        }
        let begun = try await caller.call(begin, context.call.child(BeginDeviceChallenge.method.id))
        var reply = reply
        reply.number = begun.number
        reply.expiresAtMs = begun.expiresAtMs
        return reply
    }

    /// Whether phone sign-in may be set up on this device at all: active, the person's policy allows it, one tenant.
    private static func mayStart(
        _ id: DeviceID, _ view: TenantView, _ records: any RegistrationRecords
    ) throws -> (StoredDevice, StoredPerson, PolicyVerdict) {
        let refused = ServiceError(.refused, "phone sign-in may not be set up on this device")
        guard let device = try records.device(id, tenant: view.id), device.state == .active,
            let person = try records.person(device.person, tenant: view.id), !person.isBlocked
        else { throw refused }
        let verdict = view.policy.verdict(
            person: person.id, groups: Set(try records.groups(of: person.id, tenant: view.id)))
        guard verdict.allowsPush(.passwordless) else { throw refused }
        try checkVersions(device.facts, view.settings)
        try checkOneTenant(device, isLifted: view.settings.phoneSignInInSeveralTenants, records)
        return (device, person, verdict)
    }

    /// With what a set-up would be refused now, whatever the person showed; nil for nothing.
    static func setUpRefusal(_ id: DeviceID, _ view: TenantView, _ records: any RegistrationRecords) throws
        -> ServiceError?
    {
        do {
            _ = try mayStart(id, view, records)
            return nil
        } catch let refusal as ServiceError {
            return refusal
        }
    }

    func disablePhoneSignIn(_ request: DisablePhoneSignIn, _ context: HandlerContext) async throws -> Wire.Empty {
        let tenant = TenantID(request.tenant)
        return try await change(request, context) { change in
            var device = try change.records.needDevice(request.deviceID, tenant: tenant)
            guard device.phoneSignInAt != nil else { return Wire.Empty() }
            let before = try change.records.auditDocument(device)
            device.phoneSignInAt = nil
            device.isExclusive = false
            try change.records.update(device)
            try change.cancelRequests(.phoneSignInDisabled, tenant: tenant, person: device.person, device: device.id)
            try change.audit(
                request.actor, "phone-sign-in.disable", tenant: tenant, target: device.id.rawValue, before: before,
                after: change.records.auditDocument(device))
            change.tell(tenant: tenant, device: device.id, person: device.person, mayListen: true)
            return Wire.Empty()
        }
    }
}

extension StoredDevice {
    /// Whether phone sign-in may be set up without a password or a pass.
    func isGranted(at now: Timestamp) -> Bool { grantedUntil.map { now < $0 } ?? false }
}
