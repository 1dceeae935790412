import Domain
package import Storage

extension RecordConformance {
    package func verifier(_ store: any Store<any VerifierRecords>) async throws {
        try await proofs(store)
        try await codes(store)
        try await failures(store)
    }

    private func proofs(_ store: any Store<any VerifierRecords>) async throws {
        let (mine, theirs) = (RequestID(high: 1, low: 1), RequestID(high: 2, low: 2))
        func identifier(_ usedBy: RequestID) -> ProofIdentifier {
            ProofIdentifier(digest: bytes(1), usedBy: usedBy, keptUntil: time(10))
        }
        let (first, second) = (identifier(mine), identifier(theirs))
        let taken = try await store.write { [time] records in
            [
                try records.take(first), try records.take(second),
                try records.deleteProofIdentifiers(keptUntilBefore: time(11), limit: 9) == 1 ? theirs : nil,
                try records.take(second),
            ]
        }
        try expectEqual(taken, [nil, mine, theirs, nil], "who took an identifier before")
    }

    private func codes(_ store: any Store<any VerifierRecords>) async throws {
        let (tenant, device) = (tenant, DeviceID("d"))
        let advanced = try await store.write { records in
            try [5, 5, 4, 6].map { try records.advance(device, tenant: tenant, to: $0) }
        }
        try expectEqual(advanced, [true, false, false, true], "steps that advance")
        let acceptance = CodeAcceptance(
            tenant: tenant, challenge: ChallengeID("c"), codeDigest: bytes(1), device: device, deviceName: "Δ",
            keptUntil: time(5))
        try await store.write { try $0.insert(acceptance) }
        try await expect(.alreadyExists, in: store, "a second acceptance") { try $0.insert(acceptance) }
        let found = try await store.write { [time] records in
            (
                try records.acceptance(tenant: tenant, challenge: ChallengeID("c")),
                try records.deleteAcceptances(keptUntilBefore: time(6), limit: 9),
                try records.acceptance(tenant: tenant, challenge: ChallengeID("c"))
            )
        }
        try expectEqual(found.0, acceptance, "an acceptance")
        try expectEqual(found.1, 1, "deleted acceptances")
        try expectEqual(found.2, nil, "a deleted acceptance")
    }

    private func failures(_ store: any Store<any VerifierRecords>) async throws {
        let (tenant, device, name) = (tenant, DeviceID("d"), FoldedUsername("eve"))
        func codes(_ name: FoldedUsername, locked: Bool) -> CodeFailures {
            CodeFailures(
                tenant: tenant, username: name, count: 3, countTowardsLock: 2, isLocked: locked, lastAt: time(1),
                nextAllowedAt: time(2))
        }
        let (open, locked) = (codes(name, locked: false), codes(FoldedUsername("bob"), locked: true))
        var numbers = NumberFailures(tenant: tenant, device: device, count: 1, lastAnswer: bytes(1), lastAt: time(1))
        try await store.write { [numbers] records in
            for failures in [open, locked, open] { try records.save(failures) }
            try records.save(numbers)
        }
        numbers.count = 2
        let found = try await store.write { [numbers, time] records in
            try records.save(numbers)
            let counted = try records.codeFailures(tenant: tenant, username: name)
            let deleted = try records.deleteCodeFailures(lastBefore: time(2), limit: 9)
            return (
                counted, deleted, try records.deleteCodeFailures(tenant: tenant, username: name),
                try records.deleteCodeFailures(tenant: tenant, username: FoldedUsername("bob")),
                try records.numberFailures(tenant: tenant, device: device)
            )
        }
        try expectEqual(found.0, open, "failures with codes")
        try expectEqual(found.1, 1, "deleted counters: what is locked stays")
        try expectEqual([found.2, found.3], [false, true], "whether there were any")
        try expectEqual(found.4, numbers, "failures with numbers")
    }
}
