import Domain
import Logging
import Messaging
import ServiceKit
import Storage
import Wire

extension RegistrationService {
    /// Tells the metrics what waits to be taken by challenge.
    func measure() async {
        if let backlog = try? await store.read({ try $0.callBacklog() }) { metrics.backlog(backlog, at: now()) }
    }

    /// Takes calls back that wait for longer than any is put off: this machine's clock was ahead when they were, and has been set back.
    private func recallCalls() async throws {
        let (time, horizon) = (now(), now() + configuration.callDueMax)
        guard try await store.write({ try $0.recallCalls(dueAfter: horizon, to: time) }) > 0 else { return }
        logger.warning("calls from the future are due now: the clock was set back")
        callsChanged.advance()
    }

    /// Deletes what nobody needs any more, and ends what was abandoned: activations of which challenge should have told the end, and
    /// never did.
    package func purge() async throws {
        try await recallCalls()
        let (now, batch, kept) = (now(), configuration.purgeBatchMax, configuration.repeatsKept)
        let limits = RegistrationPurge(
            sessionsIdleSince: now - WebSessionRules.idle, sessionsCreatedBefore: now - WebSessionRules.longest,
            passesExpiredBefore: now, activationsExpiredBefore: now - kept, attemptsForgottenBefore: now,
            repeatsBefore: now - kept)
        try await store.purge(batch) { try $0.purge(limits, limit: $1) }
        try await store.purge(batch) { try $0.deleteMemos(keptUntilBefore: now, limit: $1) }
        let id = RequestID.make(at: now)
        let context = HandlerContext(
            caller: .registration,
            call: CallContext(requestID: id, originID: id, deadline: .now + configuration.callTimeout))
        try await apply(context) { change in
            for activation in try change.records.abandonedActivations(expiredBefore: now - kept, limit: batch) {
                guard let device = activation.machine.device else { continue }
                try Self.endRegistration(device, tenant: activation.tenant, change)
            }
        }
    }
}
