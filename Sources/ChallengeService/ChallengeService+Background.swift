import Domain
import Logging
import Messaging
import ServiceKit
import Storage
import Wire

extension ChallengeService {
    /// Finds again what waits for a moment: all of it is in the store.
    func resume() async throws {
        var last: Lapse?
        repeat {
            let after = last
            let page: [Lapse] = try await store.read { try $0.lapses(after: after, limit: 1000) }
            for lapse in page { deadlines.add(.lapse(lapse.id, lapse.tenant), at: lapse.at) }
            last = page.last
        } while last != nil
        let time = now()
        if let due = try await store.read({ try $0.nextMessageDue(after: time) }) { deadlines.add(.outbox, at: due) }
        outbox.wake()
    }

    /// Sleeps until the first deadline, or until an earlier one is added.
    func keepDeadlines() async {
        while !Task.isCancelled {
            let seen = deadlines.moved.count
            await meetDeadlines()
            await deadlines.moved.wait(past: seen, until: deadlines.next, now: now())
        }
    }

    /// Where several processes share the store.
    func hear(_ announcement: StoreAnnouncement) {
        switch announcement {
        case .told(let id): outcomes.advance(ChallengeID(id))
        case .missed:
            outcomes.advanceAll()
            outbox.wake()
        }
    }

    /// Where several processes share the store: does what one that ended has left undone. What is overdue is nobody's.
    func adopt() async {
        outbox.wake()
        let before = now() - configuration.adoptionInterval
        guard let lapses = try? await store.read({ try $0.lapses(after: nil, limit: 200) }) else { return }
        let overdue = lapses.filter { $0.at < before }
        // What fails is found again at the next look: put among the deadlines as well it would be there once more each time.
        for (tenant, lapses) in Dictionary(grouping: overdue, by: \.tenant) {
            _ = await expire(lapses.map(\.id), tenant)
        }
    }

    /// Tells the metrics what waits in the outbox.
    func measure() async {
        if let backlog = try? await store.read({ try $0.outboxBacklog() }) { metrics.backlog(backlog, at: now()) }
    }

    /// Looks now and again whether the clock was set back.
    func keepRecalling() async {
        await atIntervals(of: configuration.retryLongest) {
            do {
                try await recall()
            } catch {
                if !Task.isCancelled { logger.warning("outbox not recalled", metadata: ["error": "\(error)"]) }
            }
        }
    }

    /// Takes messages back that wait for longer than any is put off: this machine's clock was ahead when they were, and has been set back.
    func recall() async throws {
        let (time, horizon) = (now(), now() + configuration.dueMax)
        guard try await store.read({ try $0.nextMessageDue(after: horizon) }) != nil else { return }
        try await store.write { try $0.recallMessages(dueAfter: horizon, to: time) }
        logger.warning("outbox messages from the future are due now: the clock was set back")
        outbox.wake()
    }

    /// Does what is due now.
    func meetDeadlines() async {
        while true {
            let due = deadlines.take(at: now(), limit: 200)
            if due.isEmpty { return }
            var lapsed: [(ChallengeID, TenantID)] = []
            for event in due {
                switch event {
                case .lapse(let id, let tenant): lapsed.append((id, tenant))
                case .waitEnds(let id): outcomes.advance(id)
                case .outbox: outbox.wake()
                }
            }
            for (tenant, lapses) in Dictionary(grouping: lapsed, by: \.1) {
                let ids = lapses.map(\.0)
                if await expire(ids, tenant) { continue }
                let again = now() + configuration.retryLongest
                for id in ids { deadlines.add(.lapse(id, tenant), at: again) }
            }
        }
    }

    /// Stores the expiry of challenges whose moment has come, and lets those who wait see it. Returns whether it is stored.
    private func expire(_ ids: [ChallengeID], _ tenant: TenantID) async -> Bool {
        defer { for id in ids { tell(of: id) } }
        do {
            let view = try tenants.tenant(tenant)
            let call = CallContext.background(at: now())
            try await write(view, call) { transaction in
                // One has a deadline for its answer and one for its redemption.
                let challenges = try Set(ids).compactMap { try transaction.records.challenge($0, tenant: tenant) }
                // Oldest first, as everybody who ends several: two that end the same do not wait for each other.
                for challenge in challenges.sorted(by: { $0.isOlder(than: $1) }) { try transaction.lapse(challenge) }
            }
            return true
        } catch {
            // What waits sees the expiry by the clock; the store gets it later.
            logger.warning(
                "expiry not stored", metadata: ["error": "\((error as? ServiceError)?.code.name ?? "store")"])
            return false
        }
    }

    /// Deletes what has been kept long enough.
    func purge() async throws {
        let (time, batch) = (now(), configuration.purgeBatchMax)
        let (challengesBefore, linesBefore) = (time - configuration.settledKept, time - configuration.signInLogKept)
        try await store.purge(batch) { try $0.deleteChallenges(settledBefore: challengesBefore, limit: $1) }
        try await store.purge(batch) { try $0.deleteSignIns(before: linesBefore, limit: $1) }
        try await store.purge(batch) { try $0.deleteMemos(keptUntilBefore: time, limit: $1) }
    }
}

extension ChallengeRecord {
    fileprivate func isOlder(than other: ChallengeRecord) -> Bool {
        (createdAt, id.rawValue) < (other.createdAt, other.id.rawValue)
    }
}

extension CallContext {
    /// Of work that nobody asked for just now.
    static func background(at time: Timestamp) -> CallContext {
        let id = RequestID.make(at: time)
        return CallContext(requestID: id, originID: id, deadline: .now + .seconds(5))
    }
}
