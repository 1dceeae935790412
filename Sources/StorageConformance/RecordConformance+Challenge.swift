import Domain
package import Storage

extension RecordConformance {
    package func challenge(_ store: any Store<any ChallengeRecords>) async throws {
        try await challenges(store)
        try await overMessages(store)
        try await outbox(store)
        try await turns(store)
        try await signIns(store)
    }

    private func challenge(
        _ name: String, at second: Int64, settledAt: Int64? = nil, isDecoy: Bool = false,
        person: PersonID = PersonID("p")
    ) -> ChallengeRecord {
        var begin = ChallengeRecord.Begin(
            id: ChallengeID(name), tenant: tenant, purpose: .signIn, username: "Ålice", number: "42",
            content: [0, 255], createdAt: time(second))
        begin.person = .init(
            id: person, username: "Ålice", displayName: "A'\"", groups: [GroupID("g1"), GroupID("g2")],
            mayUseCodes: true)
        begin.owner = .init(client: ClientID("c"), browserDigest: [])
        begin.targets = [DeviceID("d1"), DeviceID("d2")]
        begin.trace = "00-\(name)-01"
        var state = ChallengeMachine.State(triesLeft: 3)
        if let settledAt { (state.status, state.settledAt) = (.denied, time(settledAt)) }
        let rules = ChallengeMachine.Rules(
            expiresAt: time(second + 60), redeemWindow: .seconds(30), isDecoy: isDecoy)
        return ChallengeRecord(begin, machine: ChallengeMachine(rules: rules, state: state))
    }

    private func challenges(_ store: any Store<any ChallengeRecords>) async throws {
        let (first, second) = (challenge("a", at: 10), challenge("b", at: 5))
        let settled = challenge("c", at: 1, settledAt: 2)
        try await store.write { records in for one in [first, second, settled] { try records.insert(one) } }
        try await expect(.alreadyExists, in: store, "a taken id") { try $0.insert(first) }
        var approved = first
        var state = approved.machine.state
        (state.status, state.method, state.settledAt) = (.approved, .push, time(20))
        state.answered = [.init(digest: bytes(1), reply: .init(status: .approved), at: time(20))]
        state.codeDigest = bytes(2)
        approved.machine = ChallengeMachine(rules: approved.machine.rules, state: state)
        approved.receipt = .init(device: DeviceID("d1"), answer: "a.b.c", key: bytes(3))
        approved.isPasswordVerified = true
        try await store.write { [approved] in try $0.update(approved) }
        try await expect(.conflict, in: store, "an update of an older revision") { [approved] in try $0.update(approved)
        }
        approved.revision = 1
        let read = try await store.read { [tenant, other] records in
            (
                try records.challenge(ChallengeID("a"), tenant: tenant),
                try records.challenge(ChallengeID("a"), tenant: other),
                try records.liveChallenges(tenant: tenant, person: PersonID("p")).map(\.id.rawValue),
                try records.lapses(after: nil, limit: 9)
            )
        }
        try expectEqual(read.0, approved, "an updated challenge")
        try expectEqual(read.1, nil, "another tenant's challenge")
        try expectEqual(read.2, ["b", "a"], "live challenges, oldest first")
        try expectEqual(read.3.map(\.id.rawValue), ["a", "b"], "lapses, soonest first")
        try await decoys(store)
        let rest = try await store.read { [lapse = read.3[0]] in try $0.lapses(after: lapse, limit: 9) }
        try expectEqual(rest.map(\.id.rawValue), ["b"], "lapses after the first")
        let deleted = try await store.write { [time] records in
            [
                try records.deleteChallenges(settledBefore: time(2), limit: 9),
                try records.deleteChallenges(settledBefore: time(3), limit: 9),
            ]
        }
        try expectEqual(deleted, [0, 1], "deleted challenges")
    }

    /// A pending decoy counts nowhere; one that a code has settled can be redeemed and is live.
    private func decoys(_ store: any Store<any ChallengeRecords>) async throws {
        var coded = challenge("x", at: 3, isDecoy: true)
        let others = [challenge("z", at: 7, isDecoy: true), challenge("y", at: 6, isDecoy: true)]
        var state = coded.machine.state
        (state.status, state.method, state.settledAt) = (.approved, .code, time(4))
        coded.machine = ChallengeMachine(rules: coded.machine.rules, state: state)
        let found = try await store.write { [tenant, time, coded] records in
            for one in [coded] + others { try records.insert(one) }
            let live = try records.liveChallenges(tenant: tenant, person: PersonID("p"))
            let decoys = try [(7, 9), (6, 9), (7, 1)].map { until, limit in
                try records.pendingDecoys(
                    tenant: tenant, person: PersonID("p"), createdUntil: time(until), limit: limit
                ).map(\.id.rawValue)
            }
            for var one in [coded] + others {
                var state = one.machine.state
                (state.status, state.settledAt) = (.redeemed, time(9))
                one.machine = ChallengeMachine(rules: one.machine.rules, state: state)
                try records.update(one)
            }
            return (live.map(\.id.rawValue), decoys)
        }
        try expectEqual(found.0, ["x", "b", "a"], "live challenges among decoys")
        try expectEqual(found.1, [["y", "z"], ["y"], ["y"]], "pending decoys")
    }

    private func message(_ name: String, _ kind: OutboxRecord.Kind = .notify, due: Int64) -> OutboxRecord {
        OutboxRecord(
            kind: kind, challenge: ChallengeID(name), body: [0, 1], origin: RequestID(high: 1, low: 2),
            trace: "00-\(name)-01", createdAt: time(1), usefulUntil: nil, attemptsLeft: 2, dueAt: time(due))
    }

    /// What is read of a message says whether there is still something to show.
    private func overMessages(_ store: any Store<any ChallengeRecords>) async throws {
        let (open, ended) = (challenge("open", at: 10), challenge("ended", at: 10, settledAt: 11))
        let found = try await store.write { [time] records in
            for one in [open, ended] { try records.insert(one) }
            for (name, kind) in [("open", OutboxRecord.Kind.notify), ("ended", .notify), ("purged", .notify)] {
                try records.append(message(name, kind, due: 10))
            }
            try records.append(message("ended", .settled, due: 10))
            let read = try records.dueMessages(for: .notifier, at: time(10), limit: 9)
            let leased = try records.leaseDueMessages(for: .notifier, at: time(10), until: time(11), limit: 9)
            for message in leased { try records.deleteMessage(message.sequence) }
            return (read.map(\.isOver), leased.map(\.isOver))
        }
        try expectEqual(found.0, [false, true, true, false], "which messages are over")
        try expectEqual(found.1, [false, true, true, false], "which leased messages are over")
    }

    private func outbox(_ store: any Store<any ChallengeRecords>) async throws {
        let (soon, late) = (message("soon", due: 10), message("late", due: 20))
        let empty = try await store.read { try $0.outboxBacklog() }
        try expectEqual(empty, Backlog(count: 0, oldest: nil), "an empty outbox")
        let sequences = try await store.write { records in [try records.append(late), try records.append(soon)] }
        let backlog = try await store.read { try $0.outboxBacklog() }
        try expectEqual(backlog, Backlog(count: 2, oldest: time(1)), "what waits in the outbox")
        let theirs = try await store.write { [time] records in
            try records.append(message("theirs", .confirm, due: 10))
            let read = try records.dueMessages(for: .registration, at: time(20), limit: 9)
            let leased = try records.leaseDueMessages(for: .registration, at: time(20), until: time(21), limit: 9)
            for message in leased { try records.deleteMessage(message.sequence) }
            return (read.map(\.challenge.rawValue), leased.map(\.challenge.rawValue))
        }
        try expectEqual(theirs.0, ["theirs"], "messages due for one receiver")
        try expectEqual(theirs.1, ["theirs"], "messages leased for one receiver")
        try StorageConformance.expect(sequences[0] < sequences[1], "sequences do not rise")
        var postponed = soon
        (postponed.sequence, postponed.dueAt, postponed.attemptsLeft) = (sequences[1], time(30), nil)
        // Nothing open has its name.
        postponed.isOver = true
        let found = try await store.write { [postponed, time] records in
            let due = try records.dueMessages(for: .notifier, at: time(20), limit: 9)
            try records.postpone(postponed)
            try records.deleteMessage(sequences[0])
            return (
                due.map(\.challenge.rawValue), try records.nextMessageDue(after: time(29)),
                try records.nextMessageDue(after: time(30)),
                try records.dueMessages(for: .notifier, at: time(30), limit: 9)
            )
        }
        try expectEqual(found.0, ["soon", "late"], "due messages")
        try expectEqual(found.1, time(30), "when the next message is due")
        try expectEqual(found.2, nil, "when nothing is due")
        try expectEqual(found.3, [postponed], "a postponed message")
        let recalled = try await store.write { [time, postponed] records in
            try records.recallMessages(dueAfter: time(30), to: time(2))
            let kept = try records.nextMessageDue(after: time(2))
            try records.recallMessages(dueAfter: time(29), to: time(2))
            let due = try records.dueMessages(for: .notifier, at: time(2), limit: 9).map(\.sequence)
            try records.postpone(postponed)
            return (kept, due)
        }
        try expectEqual(recalled.0, time(30), "a message that is not due too late")
        try expectEqual(recalled.1, [postponed.sequence], "a message that was due too late")
        let leases = try await store.write { [time] records in
            let first = try records.append(message("first", due: 40))
            let second = try records.append(message("second", due: 41))
            try records.append(message("third", due: 49))
            let lease = { at, until, limit in
                try records.leaseDueMessages(for: .notifier, at: time(at), until: time(until), limit: limit)
            }
            return (
                try lease(45, 48, 2).map(\.challenge.rawValue), try lease(47, 48, 9).map(\.challenge.rawValue),
                try lease(48, 60, 9).map { ($0.sequence, $0.dueAt) }, [first, second]
            )
        }
        try expectEqual(leases.0, ["soon", "first"], "leased messages")
        try expectEqual(leases.1, ["second"], "what another has leased")
        try expectEqual(leases.2.map(\.0), [sequences[1]] + leases.3, "messages whose lease is over")
        try StorageConformance.expect(leases.2.allSatisfy { $0.1 == time(60) }, "a lease does not last as asked")
        let budget = RequestBudget(misses: [time(1), time(2)], silentUntil: time(9), riskRaisedUntil: nil)
        let budgets = try await store.write { [tenant] records in
            let none = try records.budget(tenant: tenant, person: PersonID("p"))
            try records.save(RequestBudget(), tenant: tenant, person: PersonID("p"))
            try records.save(budget, tenant: tenant, person: PersonID("p"))
            return [none, try records.budget(tenant: tenant, person: PersonID("p"))]
        }
        try expectEqual(budgets, [nil, budget], "budgets")
    }

    /// Of transactions that count a person's challenges at the same time, and add one where there are fewer than three, three add one.
    private func turns(_ store: any Store<any ChallengeRecords>) async throws {
        for round in 0..<10 {
            let person = PersonID("turn-\(round)")
            try await withThrowingTaskGroup(of: Void.self) { group in
                for attempt in 0..<8 {
                    let mine = challenge("\(person)-\(attempt)", at: 10, person: person)
                    group.addTask { [tenant] in
                        try await store.write { records in
                            let open = try records.liveChallenges(tenant: tenant, person: person)
                            try records.takeTurn(tenant: tenant, person: person)
                            if open.count < 3 { try records.insert(mine) }
                        }
                    }
                }
                try await group.waitForAll()
            }
            let (open, budget) = try await store.read { [tenant] records in
                (
                    try records.liveChallenges(tenant: tenant, person: person).count,
                    try records.budget(tenant: tenant, person: person)
                )
            }
            try expectEqual(open, 3, "challenges of one person that were counted at the same time")
            try expectEqual(budget ?? RequestBudget(), RequestBudget(), "a budget whose turn was taken")
        }
    }

    private func line(_ name: String, at second: Int64, _ username: String = "Bob") -> SignInRecord {
        var line = SignInRecord(
            id: ChallengeID(name), tenant: tenant, at: time(second), username: username, person: PersonID("p"),
            purpose: .signIn)
        line.application = "mail"
        return line
    }

    private func signIns(_ store: any Store<any ChallengeRecords>) async throws {
        var answered = line("s2", at: 70)
        try await store.write { [answered, line] records in
            for one in [line("s1", 10, "Bob"), answered, line("s3", 71, "eve"), line("s4", 71, "eve")] {
                try records.insert(one)
            }
        }
        (answered.status, answered.method, answered.settledAt) = (.redeemed, .push, time(75))
        (answered.device, answered.deviceName) = (DeviceID("d"), "phone")
        var change = SignInChange(reason: nil, setsReason: false)
        (change.status, change.method, change.settledAt) = (.redeemed, .push, time(75))
        (change.device, change.deviceName) = (DeviceID("d"), "phone")
        var filter = SignInFilter()
        let range = SignInRange(from: time(0), to: time(120), stepSeconds: 60)
        let found = try await store.write { [answered, change, tenant, filter] records in
            try records.update(signIn: answered.id, change)
            let groups = try range.map { try records.signInGroups(tenant: tenant, in: $0, linesMax: 100) } ?? []
            return (try records.signIn(answered.id), try records.signIns(tenant: tenant, filter, limit: 3), groups)
        }
        try expectEqual(found.0, answered, "an updated line")
        try await changes(of: answered, in: store)
        try expectEqual(found.1.map(\.id.rawValue), ["s4", "s3", "s2"], "lines, newest first")
        let groups = Set(found.2)
        try expectEqual(
            groups,
            [
                SignInGroup(step: 0, status: .pending, isDecoy: false, answerTenths: nil, count: 1, earliest: time(10)),
                SignInGroup(step: 1, status: .pending, isDecoy: false, answerTenths: nil, count: 2, earliest: time(71)),
                SignInGroup(step: 1, status: .redeemed, isDecoy: false, answerTenths: 50, count: 1, earliest: time(70)),
            ], "groups of sign-ins")
        (filter.username, filter.from, filter.to) = (FoldedUsername("bob"), time(5), time(100))
        filter.before = .init(at: time(70), id: ChallengeID("s2"))
        let page = try await store.read { [tenant, filter] in try $0.signIns(tenant: tenant, filter, limit: 9) }
        try expectEqual(page.map(\.id.rawValue), ["s1"], "a filtered page")
        (filter, filter.status, filter.reason) = (SignInFilter(), .redeemed, SignInReason.allCases.first)
        let none = try await store.read { [tenant, filter] in try $0.signIns(tenant: tenant, filter, limit: 9) }
        try expectEqual(none, [], "lines of a reason that none has")
        let deleted = try await store.write { [time] in try $0.deleteSignIns(before: time(71), limit: 9) }
        try expectEqual(deleted, 2, "deleted lines")
    }

    /// Of a line that says how its request ended.
    private func changes(of ended: SignInRecord, in store: any Store<any ChallengeRecords>) async throws {
        let reported = SignInChange(reason: .reported)
        var late = SignInChange(reason: .timeout)
        (late.status, late.isOfPendingOnly) = (.denied, true)
        let lines = try await store.write { [late] records in
            try [late, reported, SignInChange(reason: nil, setsReason: false), SignInChange(reason: nil)].map {
                change in
                try records.update(signIn: ended.id, change)
                return try records.signIn(ended.id)
            }
        }
        try expectEqual(lines[0], ended, "a line that has ended, after a change of pending ones")
        var expected = ended
        expected.reason = .reported
        try expectEqual(lines[1], expected, "a line with a reason and all that it said before")
        try expectEqual(lines[2], expected, "a line of which nothing changed")
        try expectEqual(lines[3], ended, "a line without its reason")
        try await store.write { try $0.update(signIn: ChallengeID("none"), reported) }
    }
}
