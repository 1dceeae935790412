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
        func wakeUp(_ device: String) -> WakeUpRecord {
            WakeUpRecord(
                tenant: tenant, challenge: ChallengeID("c"), device: DeviceID(device), transport: .fcm,
                sealedAddress: bytes(7), expiresAt: time(9))
        }
        let owed = ["x", "y"].map(wakeUp)
        let stored = try await store.write { records in
            for one in owed { try records.append(one) }
            return try records.wakeUps(after: 0, limit: 9)
        }
        var first = owed[0]
        first.sequence = stored[0].sequence
        try expectEqual(stored.first, first, "a stored wake-up")
        try expectEqual(stored.map(\.device.rawValue), ["x", "y"], "wake-ups, oldest first")
        let left = try await store.write { records in
            try records.deleteWakeUp(stored[0].sequence)
            return (try records.countWakeUps(), try records.wakeUps(after: stored[0].sequence, limit: 9).count)
        }
        try StorageConformance.expect(left == (1, 1), "a deleted wake-up is still owed: \(left)")
    }
}
