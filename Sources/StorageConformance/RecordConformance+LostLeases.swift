import Domain
import Storage

extension RecordConformance {
    /// A lease of which nothing was heard is told of to the next one, once.
    func unheardLeases(_ store: any Store<any NotifierRecords>) async throws {
        let challenge = ChallengeID("unheard")
        let all = ["killed", "postponed", "late"].map { device in
            WakeUpRecord(
                tenant: tenant, challenge: challenge, device: DeviceID(device), transport: .fcm, sealedAddress: [7],
                expiresAt: time(60), dueAt: time(1))
        }
        let takenOver = try await store.write { [tenant, time] records in
            func lease(_ second: Int64) throws -> [WakeUpRecord] {
                try records.leaseWakeUps(.fcm, at: time(second), until: time(second + 10), limit: 9)
                    .filter { $0.challenge == challenge }
            }
            for one in all { try records.append(one) }
            let first = try lease(1)
            try records.postpone(first[1])
            let second = try lease(11)
            let third = try lease(21)
            try records.keep(third[0], at: time(22))
            try records.withdrawWakeUps(of: challenge, tenant: tenant, answeredBy: nil, at: time(23))
            // Whoever holds it knows nothing of the end.
            try records.postpone(third[2])
            let fourth = try lease(31)
            for one in fourth { try records.finish(one) }
            return [first, second, third, fourth].map { $0.filter(\.isTakenOver).map(\.device.rawValue) }
        }
        try expectEqual(
            takenOver, [[], ["killed", "late"], ["killed", "postponed", "late"], ["postponed"]],
            "leases of which nothing was heard, each told once")
    }

    /// What nobody has said anything of is kept after the end.
    func unsaid(_ store: any Store<any NotifierRecords>) async throws {
        let challenge = ChallengeID("unsaid")
        func wakeUp(_ device: String) -> WakeUpRecord {
            WakeUpRecord(
                tenant: tenant, challenge: challenge, device: DeviceID(device), transport: .fcm, sealedAddress: [7],
                expiresAt: time(60), dueAt: time(1))
        }
        let (answers, untried) = (wakeUp("answers"), wakeUp("untried"))
        let found = try await store.write { [tenant, time] records in
            func lease(_ second: Int64) throws -> [String] {
                try records.leaseWakeUps(.fcm, at: time(second), until: time(second + 10), limit: 9)
                    .filter { $0.challenge == challenge }.map { "\($0.device) \($0.stage)" }
            }
            func purge(_ second: Int64) throws -> [String] {
                try records.deleteWakeUps(keptAndExpiredBefore: time(second), limit: 99)
                    .filter { $0.challenge == challenge }.map { "\($0.device) \($0.isUnheard)" }
            }
            try records.append(answers)
            let leased = try lease(1)
            for _ in 0..<2 {
                try records.withdrawWakeUps(of: challenge, tenant: tenant, answeredBy: DeviceID("answers"), at: time(2))
            }
            let kept = try [lease(11), purge(60), purge(61)]
            try records.append(untried)
            try records.withdrawWakeUps(of: challenge, tenant: tenant, answeredBy: nil, at: time(60))
            return [leased] + kept + [try purge(61), try lease(60)]
        }
        try expectEqual(
            found, [["answers ring"], [], [], ["answers true"], [], ["untried ring"]],
            "what is kept to be written down after the end")
    }
}
