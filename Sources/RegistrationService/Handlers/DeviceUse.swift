import Domain
import Messaging
import Storage
import Wire

extension RegistrationService {
    /// Of one message.
    private static let usesMax = 1_000

    /// When devices were last used for a sign-in. What is known within `DeviceUse.interval` is known well enough: in a busy time most
    /// messages write nothing. Harmless when repeated.
    func noteDeviceUse(_ request: NoteDeviceUse, _ context: HandlerContext) async throws -> Wire.Empty {
        guard request.uses.count <= Self.usesMax else {
            throw ServiceError(.malformed, "at most \(Self.usesMax) uses are told at once")
        }
        // By a clock that is ahead it was used now, and not in the future.
        let now = now().milliseconds
        let told = request.uses.map { use in
            DeviceUse(
                tenant: TenantID(use.tenant), device: DeviceID(use.deviceID),
                at: Timestamp(milliseconds: min(max(0, use.atMs), now)))
        }
        let uses = try await store.read { records in
            try told.filter { use in
                let lastUsedAt = try records.device(use.device, tenant: use.tenant)?.lastUsedAt
                return lastUsedAt.map { use.at - $0 >= DeviceUse.interval } ?? false
            }
        }
        guard !uses.isEmpty else { return Wire.Empty() }
        try await store.write(until: context.call.deadline) { records in
            for use in uses { try records.touchDevice(use.device, tenant: use.tenant, at: use.at) }
        }
        return Wire.Empty()
    }
}
