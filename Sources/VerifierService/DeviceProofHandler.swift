import Domain
import Logging
import Messaging
import Proofs
import ServiceKit
import Storage
import SwiftProtobuf
import Telemetry
import Wire

/// VerifyDeviceProof: is this HTTP request signed by the device that its path names, now, and for the first time?
struct DeviceProofHandler: Sendable {
    let store: any Store<any VerifierRecords>
    let devices: DeviceKeys
    let tenants: any Tenants
    let configuration: VerifierConfiguration
    let metrics: VerifierMetrics
    let logger: Logger
    let now: @Sendable () -> Timestamp

    func handle(_ request: VerifyDeviceProof, _ context: HandlerContext) async throws -> VerifyDeviceProofReply {
        let tenant = try tenants.tenant(TenantID(request.tenant))
        do {
            let device = try await device(request, tenant, context)
            metrics.proofs.increment("success")
            return VerifyDeviceProofReply.with {
                $0.deviceID = device.record.id
                $0.personID = device.record.personID
                $0.state = device.record.state
                $0.phoneSignIn = device.record.phoneSignIn
                $0.username = device.username
            }
        } catch let refusal as ProofRefusal {
            metrics.proofs.increment(refusal.label)
            logger.info(
                "device proof refused",
                metadata: ["requestId": "\(context.call.originID)", "reason": "\(refusal.label)"])
            throw refusal.error
        }
    }

    private func device(_ request: VerifyDeviceProof, _ tenant: TenantView, _ context: HandlerContext) async throws
        -> KnownDevice
    {
        let proof = try proof(request)
        let known = try await devices.device(proof.device, tenant: tenant.id, context.call, needing: \.isUsable)
        guard let device = known else { throw ProofRefusal.unknownDevice }
        let claims = try claims(proof, device, request, skew: .seconds(tenant.settings.clockSkewSeconds))
        // Only now: a proof that is not genuine must not use up an identifier of the real device.
        try await use(claims, device: proof.device, tenant: tenant.id, context)
        guard !device.isPersonBlocked else { throw ProofRefusal.blocked }
        return device
    }

    private func proof(_ request: VerifyDeviceProof) throws(ProofRefusal) -> DeviceProof {
        do throws(ProofError) {
            let proof = try DeviceProof(request.proof)
            guard proof.device == DeviceID(request.deviceID) else { throw ProofError.wrongDevice }
            return proof
        } catch {
            throw .notGenuine(error)
        }
    }

    private func claims(
        _ proof: DeviceProof, _ device: KnownDevice, _ request: VerifyDeviceProof, skew: Duration
    ) throws(ProofRefusal) -> DeviceProofClaims {
        let expected = ProvenRequest(
            method: request.httpMethod, url: request.url,
            bodyDigest: request.bodyDigest.isEmpty ? nil : Array(request.bodyDigest))
        do {
            return try proof.verify(key: device.key, request: expected, now: now(), skew: skew)
        } catch {
            throw .notGenuine(error)
        }
    }

    /// Committed before the reply, so that the identifier is used up even if this process ends right after it.
    private func use(_ claims: DeviceProofClaims, device: DeviceID, tenant: TenantID, _ context: HandlerContext)
        async throws
    {
        let requestID = context.call.requestID
        let name = Array("\(tenant)\n\(device)\n".utf8)
        let identifier = ProofIdentifier(
            digest: contentDigest(name + claims.identifier), usedBy: requestID,
            keptUntil: max(now(), claims.issuedAt) + configuration.identifierRetention)
        guard let usedBy = try await store.write(until: context.call.deadline, { try $0.take(identifier) }) else {
            return
        }
        // The bus may deliver one request twice; that is no replay. A request id that follows from a caller's own key proves
        // nothing of the kind: who replays the proof can replay the key.
        guard usedBy == requestID, !requestID.isCallersKey else { throw ProofRefusal.replayed }
    }
}

/// Why a device proof is refused: exact inside, neutral outside.
enum ProofRefusal: Error {
    case notGenuine(ProofError)
    case unknownDevice
    case replayed
    /// A genuine proof of a device whose person is blocked: it stays registered and may do nothing.
    case blocked

    var label: String {
        switch self {
        case .notGenuine(let reason): reason.rawValue
        case .unknownDevice: "unknown-device"
        case .replayed: "replayed"
        case .blocked: "blocked"
        }
    }

    var error: ServiceError {
        if case .notGenuine(.expired) = self {
            return ServiceError(.clockSkew, "the proof's time is too far from the server's")
        }
        if case .blocked = self { return ServiceError(.refused, "the device may not be used now") }
        return ServiceError(.invalidProof, "the device proof is not valid for this request")
    }
}
