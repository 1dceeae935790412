import Domain
import Logging
import Messaging
import Storage
import Wire

extension RegistrationService {
    /// Clears away what nobody needs, at intervals, until the task is cancelled.
    func keepUp() async {
        while !Task.isCancelled {
            do {
                try await keepUpOnce()
            } catch {
                logger.warning("upkeep failed", metadata: ["error": "\(error)"])
            }
            // An interval, not a wait for anything.
            try? await Task.sleep(for: configuration.upkeepEvery)
        }
    }

    /// Tells the metrics what waits to be taken by challenge, now and again.
    func keepMeasuring() async {
        while !Task.isCancelled {
            if let backlog = try? await store.read({ try $0.callBacklog() }) { metrics.backlog(backlog, at: now()) }
            // An interval, not a wait for anything.
            try? await Task.sleep(for: configuration.measureEvery)
        }
    }

    /// One round. Abandoned activations are those of which challenge should have told the end, and never did.
    package func keepUpOnce() async throws {
        let (now, rows, kept) = (now(), configuration.upkeepRowsMax, configuration.repeatsKept)
        let limits = RegistrationPurge(
            sessionsIdleSince: now - WebSessionRules.idle, sessionsCreatedBefore: now - WebSessionRules.longest,
            passesExpiredBefore: now, activationsExpiredBefore: now - kept, attemptsForgottenBefore: now,
            repeatsBefore: now - kept)
        var deleted = rows
        while deleted >= rows, !Task.isCancelled {
            deleted = try await store.write { records in
                max(try records.purge(limits, limit: rows), try records.deleteMemos(keptUntilBefore: now, limit: rows))
            }
        }
        let id = RequestID.make(at: now)
        let context = HandlerContext(
            caller: .registration,
            call: CallContext(requestID: id, originID: id, deadline: .now + configuration.callTimeout))
        try await apply(context) { change in
            for activation in try change.records.abandonedActivations(expiredBefore: now - kept, limit: rows) {
                guard let device = activation.machine.device else { continue }
                try Self.endRegistration(device, tenant: activation.tenant, change)
            }
        }
    }
}
