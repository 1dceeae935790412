import Domain
package import Storage

extension RecordConformance {
    package func notifier(_ store: any Store<any NotifierRecords>) async throws {
        try await deliveries(store)
        try await claims(store)
        try await wakeUps(store)
        try await fromTheFuture(store)
        try await withdrawals(store)
        try await shares(store)
        try await places(store)
        try await counts(store)
        try await unheardLeases(store)
        try await unsaid(store)
    }

    private func deliveries(_ store: any Store<any NotifierRecords>) async throws {
        let tenant = tenant
        func delivery(_ challenge: String, at second: Int64) -> DeliveryRecord {
            DeliveryRecord(
                tenant: tenant, challenge: ChallengeID(challenge), device: DeviceID("d"), transport: "webpush",
                outcome: "sent", at: time(second), latency: .milliseconds(12))
        }
        let all = [delivery("a", at: 1), delivery("b", at: 2), delivery("a", at: 3)]
        try await store.write { records in for one in all { try records.append(one) } }
        let ofOne = try await store.read {
            try $0.deliveries(tenant: tenant, challenge: ChallengeID("a"), before: nil, limit: 9)
        }
        let page = try await store.read {
            try $0.deliveries(tenant: tenant, challenge: nil, before: ofOne[0].sequence, limit: 1)
        }
        var newest = all[2]
        newest.sequence = ofOne[0].sequence
        try expectEqual(ofOne.first, newest, "a challenge's newest attempt")
        try expectEqual(ofOne.count, 2, "a challenge's attempts")
        try expectEqual(page.map(\.challenge.rawValue), ["b"], "the page before")
        let deleted = try await store.write { [time] in try $0.deleteDeliveries(before: time(3), limit: 1) }
        try expectEqual(deleted, 1, "deleted attempts, as many as may be")
    }

    private func claims(_ store: any Store<any NotifierRecords>) async throws {
        func claim(_ device: String) -> DeliveryClaim {
            DeliveryClaim(tenant: tenant, challenge: ChallengeID("c"), device: DeviceID(device), keptUntil: time(5))
        }
        let claims = ["1", "1", "2", "3"].map(claim)
        let taken = try await store.write { records in try claims.map { try records.claim($0, limit: 2) } }
        try expectEqual(taken, [.place, .repeated, .place, .noPlace], "claims: once a device, two a challenge")
        let deleted = try await store.write { [time] in try $0.deleteClaims(keptUntilBefore: time(6), limit: 9) }
        try expectEqual(deleted, 3, "deleted claims")
    }

    private func wakeUps(_ store: any Store<any NotifierRecords>) async throws {
        func wakeUp(_ device: String, _ challenge: String = "c", _ transport: PushTransport = .fcm, due: Int64 = 1)
            -> WakeUpRecord
        {
            WakeUpRecord(
                tenant: tenant, challenge: ChallengeID(challenge), device: DeviceID(device), transport: transport,
                sealedAddress: bytes(7), expiresAt: time(9), dueAt: time(due))
        }
        let (one, two, three, six) = (time(1), time(2), time(3), time(6))
        let owed = [wakeUp("x", due: 2), wakeUp("y"), wakeUp("z", "d", due: 5), wakeUp("w", "c", .apns)]
        let (early, first, second) = try await store.write { records in
            for one in owed { try records.append(one) }
            return (
                try records.leaseWakeUps(.fcm, at: time(0), until: three, limit: 9),
                try records.leaseWakeUps(.fcm, at: two, until: three, limit: 1),
                try records.leaseWakeUps(.fcm, at: two, until: six, limit: 9)
            )
        }
        try expectEqual(early.count, 0, "wake-ups before they are due")
        let expected = WakeUpRecord(
            sequence: first.first?.sequence ?? 0, tenant: tenant, challenge: ChallengeID("c"), device: DeviceID("y"),
            transport: .fcm, sealedAddress: bytes(7), expiresAt: time(9), dueAt: three, fence: 1, attempts: 1)
        try expectEqual(first, [expected], "the wake-up that has been due longest")
        try expectEqual(second.map(\.device.rawValue), ["x"], "what is leased is nobody else's")
        try expectEqual(try await next(.fcm, store), three, "the end of a lease")
        try expectEqual(try await next(.webpush, store), nil, "nothing owed")
        let (again, count) = try await store.write { records in
            let again = try records.leaseWakeUps(.fcm, at: three, until: six, limit: 1)
            // The lease on it is over: neither changes anything.
            var late = first[0]
            late.dueAt = one
            try records.postpone(late)
            try records.finish(late)
            return (again, try records.countWakeUps())
        }
        try expectEqual(again.map(\.fence), [2], "a fence rises with each lease")
        try expectEqual(count, 4, "owed after the holder of a lease that is over had its say")
        try expectEqual(try await next(.fcm, store), time(5), "as the second lease left it")
        var later = again[0]
        later.dueAt = one
        later.attempts = 7
        let postponed = later
        let (tried, left) = try await store.write { records in
            try records.postpone(postponed)
            let tried = try records.leaseWakeUps(.fcm, at: one, until: six, limit: 9)
            for wakeUp in tried { try records.finish(wakeUp) }
            return (tried, try records.countWakeUps())
        }
        try expectEqual(tried.map(\.attempts), [8], "attempts, as they were put off and taken again")
        try expectEqual(left, 3, "owed after one was ended")
        let (wasOwed, isOwed, rest) = try await store.write { [tenant, time] records in
            let wasOwed = try records.holdsWakeUps(of: ChallengeID("c"), tenant: tenant)
            for wakeUp in second { try records.finish(wakeUp) }
            try records.withdrawWakeUps(
                of: ChallengeID("c"), tenant: tenant, answeredBy: nil, at: time(8))
            return (
                wasOwed, try records.holdsWakeUps(of: ChallengeID("c"), tenant: tenant), try records.countWakeUps()
            )
        }
        try StorageConformance.expect(wasOwed && !isOwed, "a settled request's wake-ups are owed")
        try expectEqual(rest, 1, "another request's wake-ups")
    }

    private func fromTheFuture(_ store: any Store<any NotifierRecords>) async throws {
        let late = WakeUpRecord(
            tenant: tenant, challenge: ChallengeID("late"), device: DeviceID("d"), transport: .apns,
            sealedAddress: bytes(7), expiresAt: time(9), dueAt: time(9))
        let counts = try await store.write { [time] records in
            let before = try records.countWakeUps()
            try records.append(late)
            let none = try records.deleteWakeUps(dueAfter: time(9), limit: 9)
            let kept = try records.countWakeUps() - before
            let deleted = try records.deleteWakeUps(dueAfter: time(8), limit: 9)
            return [none.count, kept, deleted.count, try records.countWakeUps() - before]
        }
        try expectEqual(counts, [0, 1, 1, 0], "wake-ups that are due too late")
    }

    private func withdrawals(_ store: any Store<any NotifierRecords>) async throws {
        func wakeUp(_ device: String, of challenge: String = "w", expires second: Int64 = 60) -> WakeUpRecord {
            WakeUpRecord(
                tenant: tenant, challenge: ChallengeID(challenge), device: DeviceID(device), transport: .webpush,
                sealedAddress: [7], expiresAt: time(second), dueAt: time(1))
        }
        let owed = [
            wakeUp("answers"), wakeUp("told"), wakeUp("late", expires: 5), wakeUp("underWay"), wakeUp("failed"),
        ]
        let untried = wakeUp("untried")
        let before = try await store.read { try $0.countWakeUps() }
        let (leased, left, due) = try await store.write { [time] records in
            for wakeUp in owed { try records.append(wakeUp) }
            let leased = try records.leaseWakeUps(.webpush, at: time(1), until: time(50), limit: 9)
            for wakeUp in leased.prefix(3) { try records.keep(wakeUp, at: time(1)) }
            let due = try records.nextWakeUpDue(.webpush)
            try records.append(untried)
            return (leased, try records.countWakeUps(), due)
        }
        try expectEqual(left - before, 3, "what is to be sent after three of five were, and one came")
        try expectEqual(due, time(50), "when a wake-up that was sent is due")
        let end: @Sendable (any NotifierRecords) throws -> Void = { [tenant, time] in
            try $0.withdrawWakeUps(
                of: ChallengeID("w"), tenant: tenant, answeredBy: DeviceID("answers"), at: time(10))
        }
        let ring = wakeUp("rung", of: "other")
        // Said twice, it is one withdrawal all the same.
        let told = try await store.write { [time] records in
            try end(records)
            // Its request has ended: it is not put off to be rung later.
            try records.postpone(leased[4])
            try records.keep(leased[3], at: time(10))
            try records.append(ring)
            let first = try records.leaseWakeUps(.webpush, at: time(10), until: time(40), limit: 9)
            try end(records)
            return first + (try records.leaseWakeUps(.webpush, at: time(10), until: time(40), limit: 9))
        }
        try expectEqual(
            told.map(\.device.rawValue), ["rung", "told", "underWay"], "what rings, and then who is told of the end")
        try expectEqual(told.map(\.stage), [.ring, .withdraw, .withdraw], "what is done first")
        try expectEqual(told.map(\.attempts), [1, 1, 1], "attempts at a withdrawal")
        let failed = try await store.write { [time] records in
            for wakeUp in told { try records.finish(wakeUp) }
            let failed = try records.leaseWakeUps(.webpush, at: time(50), until: time(59), limit: 9)
            for wakeUp in failed { try records.finish(wakeUp) }
            return failed
        }
        try expectEqual(
            failed.map { "\($0.device) \($0.stage)" }, ["failed withdraw"],
            "who may have been rung, when the lease of that is over")
        let gone = wakeUp("gone", expires: 20)
        let purged = try await store.write { [time] records in
            try records.append(gone)
            for wakeUp in try records.leaseWakeUps(.webpush, at: time(10), until: time(40), limit: 9) {
                try records.keep(wakeUp, at: time(10))
            }
            return [
                try records.deleteWakeUps(keptAndExpiredBefore: time(20), limit: 9),
                try records.deleteWakeUps(keptAndExpiredBefore: time(21), limit: 9),
            ].map { $0.map(\.device.rawValue) }
        }
        try expectEqual(purged, [[], ["gone"]], "wake-ups whose request has expired")
    }

    private func shares(_ store: any Store<any NotifierRecords>) async throws {
        func wakeUp(_ stage: WakeUpStage, _ number: Int) -> WakeUpRecord {
            WakeUpRecord(
                tenant: tenant, challenge: ChallengeID("s"), device: DeviceID("\(number)"), transport: .apns,
                sealedAddress: [7], expiresAt: time(20), dueAt: time(1), stage: stage)
        }
        let owed = (0..<9).map { wakeUp(.ring, $0) } + (0..<3).map { wakeUp(.withdraw, $0) }
        let (first, rest, purged) = try await store.write { [time] records in
            for wakeUp in owed { try records.append(wakeUp) }
            let first = try records.leaseWakeUps(.apns, at: time(1), until: time(30), limit: 8)
            let rest = try records.leaseWakeUps(.apns, at: time(1), until: time(10), limit: 9)
            for wakeUp in first { try records.finish(wakeUp) }
            return (
                first, rest,
                [
                    try records.deleteWakeUps(keptAndExpiredBefore: time(20), limit: 9),
                    try records.deleteWakeUps(keptAndExpiredBefore: time(21), limit: 1),
                    try records.deleteWakeUps(keptAndExpiredBefore: time(21), limit: 9),
                ].map(\.count)
            )
        }
        try expectEqual(
            first.map(\.stage), Array(repeating: .ring, count: 7) + [.withdraw], "what has a share beside what rings")
        try expectEqual(rest.map(\.stage), [.ring, .ring, .withdraw, .withdraw], "what is left")
        try expectEqual(purged, [0, 1, 1], "words of the end whose requests have expired")
    }

    private func counts(_ store: any Store<any NotifierRecords>) async throws {
        func wakeUp(
            _ transport: PushTransport, _ stage: WakeUpStage, _ device: String, by service: String = ""
        ) -> WakeUpRecord {
            WakeUpRecord(
                tenant: other, challenge: ChallengeID("n"), device: DeviceID(device), transport: transport,
                service: service, sealedAddress: [7], expiresAt: time(20), dueAt: time(1), stage: stage)
        }
        let all = [
            wakeUp(.fcm, .ring, "1"), wakeUp(.fcm, .ring, "2"), wakeUp(.apns, .ring, "3"), wakeUp(.apns, .rung, "4"),
            wakeUp(.webpush, .withdraw, "5"), wakeUp(.webpush, .ring, "6", by: "a"),
            wakeUp(.webpush, .ring, "7", by: "b"), wakeUp(.webpush, .ring, "8", by: "b"),
        ]
        let found = try await store.write { records in
            for one in all { try records.append(one) }
            return (try records.wakeUpCounts(), try records.countWakeUps())
        }
        let ofOne = found.0.filter { $0.tenant == other }
        try expectEqual(
            Set(ofOne),
            [
                WakeUpCount(tenant: other, transport: .fcm, number: 2),
                WakeUpCount(tenant: other, transport: .apns, number: 1),
                WakeUpCount(tenant: other, transport: .webpush, service: "a", number: 1),
                WakeUpCount(tenant: other, transport: .webpush, service: "b", number: 2),
            ], "phones of a tenant that are to be rung over each transport by each service")
        try expectEqual(ofOne.count, 4, "each tenant, transport and service once")
        try expectEqual(found.1, found.0.reduce(0) { $0 + $1.number }, "phones that are to be rung, in all")
    }

    private func places(_ store: any Store<any NotifierRecords>) async throws {
        let devices = ["refused", "next", "last"]
        let claims = devices.map(placeClaim)
        let wakeUps = devices.map { wakeUpForPlace($0) }
        let (claimed, leased, stale) = try await store.write { [time, wakeUpForPlace] records in
            let claimed = try claims.map { try records.claim($0, limit: 1) }
            try records.append(wakeUps[0])
            for wakeUp in wakeUps.dropFirst() { try records.append(wakeUp.inReserve) }
            let leased = try records.leaseWakeUps(.webpush, at: time(1), until: time(30), limit: 9)
            // Of a lease that is over.
            let stale = try leased.map {
                try records.passPlace(of: wakeUpForPlace("refused", $0.sequence), at: time(2))
            }
            return (claimed, leased, stale)
        }
        try expectEqual(claimed, [.place, .noPlace, .noPlace], "claims of one place")
        try expectEqual(leased.map(\.device.rawValue), ["refused"], "who is rung while others are in reserve")
        try expectEqual(stale, [false], "a place passed on by whose lease is over")
        let (first, second, rest) = try await store.write { [time, placeClaim] records in
            let isPassed = try leased.map { try records.passPlace(of: $0, at: time(2)) }
            let next = try records.leaseWakeUps(.webpush, at: time(2), until: time(30), limit: 9)
            let isTaken = try records.claim(placeClaim("late"), limit: 1)
            let isPassedOn = try next.map { try records.passPlace(of: $0, at: time(3)) }
            let last = try records.leaseWakeUps(.webpush, at: time(3), until: time(30), limit: 9)
            let isOver = try last.map { try records.passPlace(of: $0, at: time(4)) }
            return (
                (isPassed, next.map(\.device.rawValue), next.map(\.attempts), isTaken),
                (isPassedOn, last.map(\.device.rawValue)),
                (isOver, try records.claim(placeClaim("later"), limit: 1), try records.claim(claims[0], limit: 1))
            )
        }
        try StorageConformance.expect(
            first == ([true], ["next"], [1], .noPlace), "a place goes to who waited longest: \(first)")
        try StorageConformance.expect(second == ([true], ["last"]), "a place goes on once more: \(second)")
        try StorageConformance.expect(
            rest == ([false], .place, .repeated), "a place that nobody waits for is free: \(rest)")
        let kept = try await store.write { [time, tenant, wakeUpForPlace] records in
            try records.append(wakeUpForPlace("kept", 0).inReserve)
            let purged = [
                try records.deleteWakeUps(keptAndExpiredBefore: time(60), limit: 9),
                try records.deleteWakeUps(keptAndExpiredBefore: time(61), limit: 9),
            ].map(\.count)
            try records.append(wakeUpForPlace("kept", 0).inReserve)
            try records.withdrawWakeUps(of: ChallengeID("p"), tenant: tenant, answeredBy: nil, at: time(5))
            return (purged, try records.holdsWakeUps(of: ChallengeID("p"), tenant: tenant))
        }
        try expectEqual(kept.0, [0, 1], "who was in reserve when the request expired")
        try StorageConformance.expect(!kept.1, "who was in reserve when the request ended is told of nothing")
    }

    private func placeClaim(_ device: String) -> DeliveryClaim {
        DeliveryClaim(tenant: tenant, challenge: ChallengeID("p"), device: DeviceID(device), keptUntil: time(60))
    }

    /// As it is before a lease.
    private func wakeUpForPlace(_ device: String, _ sequence: Int64 = 0) -> WakeUpRecord {
        WakeUpRecord(
            sequence: sequence, tenant: tenant, challenge: ChallengeID("p"), device: DeviceID(device),
            transport: .webpush, sealedAddress: [7], expiresAt: time(60), dueAt: time(1))
    }

    private func next(_ transport: PushTransport, _ store: any Store<any NotifierRecords>) async throws -> Timestamp? {
        try await store.read { try $0.nextWakeUpDue(transport) }
    }
}
