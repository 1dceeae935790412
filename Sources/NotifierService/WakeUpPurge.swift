import Domain
import Storage

/// Deletes wake-ups whose time is over, and writes down of each what nobody else will say any more.
struct WakeUpPurge: Sendable {
    let store: any Store<any NotifierRecords>
    let push: PushSender
    let configuration: NotifierConfiguration

    func run(at time: Timestamp) async throws {
        // They wait for longer than any is put off: they were owed while this machine's clock was ahead, by whose time their requests are
        // over.
        let horizon = time + configuration.dueMax
        try await forgo(at: time) { try $0.deleteWakeUps(dueAfter: horizon, limit: $1) }
        try await forgo(at: time) { try $0.deleteWakeUps(keptAndExpiredBefore: time, limit: $1) }
    }

    /// In one transaction after another, as `Store.purge`. `delete` gets how many it may delete, and returns those.
    private func forgo(
        at time: Timestamp, _ delete: @escaping @Sendable (any NotifierRecords, Int) throws -> [WakeUpRecord]
    ) async throws {
        let batchMax = configuration.purgeBatchMax
        while true {
            let (number, forgone) = try await store.write { records in
                let deleted = try delete(records, batchMax)
                let forgone = deleted.flatMap { $0.forgone(at: time) }
                for one in forgone { try records.append(one.delivery) }
                return (deleted.count, forgone)
            }
            for one in forgone { push.count(one.delivery, one.purpose) }
            guard number >= batchMax else { return }
            try Task.checkCancellation()
        }
    }
}
