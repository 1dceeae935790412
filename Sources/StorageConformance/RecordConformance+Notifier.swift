import Domain
package import Storage

extension RecordConformance {
    package func notifier(_ store: any Store<any NotifierRecords>) async throws {
        try await deliveries(store)
        try await claims(store)
        try await wakeUps(store)
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
        try expectEqual(taken, [true, false, true, false], "claims: once a device, two a challenge")
        let deleted = try await store.write { [time] in try $0.deleteClaims(keptUntilBefore: time(6), limit: 9) }
        try expectEqual(deleted, 2, "deleted claims")
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
        let (wasOwed, isOwed, rest) = try await store.write { [tenant] records in
            let wasOwed = try records.owesWakeUps(of: ChallengeID("c"), tenant: tenant)
            try records.deleteWakeUps(of: ChallengeID("c"), tenant: tenant)
            return (
                wasOwed, try records.owesWakeUps(of: ChallengeID("c"), tenant: tenant), try records.countWakeUps()
            )
        }
        try StorageConformance.expect(wasOwed && !isOwed, "a settled request's wake-ups are owed")
        try expectEqual(rest, 1, "another request's wake-ups")
    }

    private func next(_ transport: PushTransport, _ store: any Store<any NotifierRecords>) async throws -> Timestamp? {
        try await store.read { try $0.nextWakeUpDue(transport) }
    }
}
