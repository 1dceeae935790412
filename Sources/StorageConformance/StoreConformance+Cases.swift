import Domain
import Glibc
import Storage

extension StoreConformance {
    struct Refused: Error {}

    func keepsWhatItCommits(_ opened: OpenStore<Records>, _ folder: String) async throws {
        let kept = memo(1, reply: [0, 255, 7])
        try await insert(kept, in: opened.store)
        await opened.close()
        let again = try await open(folder)
        let found = try await find(1, in: again.store)
        await again.close()
        try expect(found == kept, "wrote \(kept), found \(String(describing: found))")
    }

    func undoesWhatThrows(_ store: any Store<Records>) async throws {
        let doomed = memo(1)
        do {
            try await store.write { [memos] records in
                try memos(records).insert(doomed)
                throw Refused()
            }
            throw ConformanceFailure("the error of the body was swallowed")
        } catch is Refused {}
        try expect(try await find(1, in: store) == nil, "the write of a body that threw is there")
        try await insert(doomed, in: store)
    }

    func takesAThousandWritersAtOnce(_ store: any Store<Records>) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<UInt64(1_000) {
                group.addTask {
                    try await insert(memo(number), in: store)
                    // Accepted means committed: a read that begins now must see it.
                    try expect(
                        try await find(number, in: store) != nil, "write \(number) was answered before it was there")
                }
            }
            try await group.waitForAll()
        }
        try expect(try await count(below: 1_000, in: store) == 1_000, "writes were lost")
    }

    func undoesOnlyTheThrowingOnes(_ store: any Store<Records>) async throws {
        let refused = try await withThrowingTaskGroup(of: Bool.self) { group in
            for number in 0..<UInt64(300) {
                group.addTask {
                    do {
                        try await store.write { [memos] records in
                            try memos(records).insert(memo(number))
                            if number % 3 == 0 { throw Refused() }
                        }
                        return false
                    } catch is Refused {
                        return true
                    }
                }
            }
            return try await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
        }
        try expect(refused == 100, "\(refused) of 100 bodies heard their own error")
        for number in 0..<UInt64(300) {
            let isThere = try await find(number, in: store) != nil
            try expect(isThere == (number % 3 != 0), "write \(number) is \(isThere ? "there" : "not there")")
        }
    }

    func letsOneOfManyWin(_ store: any Store<Records>) async throws {
        let winners = try await withThrowingTaskGroup(of: UInt8?.self) { group in
            for writer in 0..<UInt8(100) {
                group.addTask {
                    do {
                        try await insert(memo(1, reply: [writer]), in: store)
                        return writer
                    } catch StorageError.alreadyExists {
                        return nil
                    }
                }
            }
            return try await group.reduce(into: [UInt8]()) { if let winner = $1 { $0.append(winner) } }
        }
        try expect(winners.count == 1, "\(winners.count) writers won")
        try expect(try await find(1, in: store)?.reply == winners, "another reply is kept than the winner's")
    }

    /// Each write inserts a pair; a reader that runs beside must see both or none.
    func readsOneMoment(_ store: any Store<Records>) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for pair in 0..<UInt64(100) {
                group.addTask {
                    try await store.write { [memos] records in
                        try memos(records).insert(memo(pair * 2))
                        try memos(records).insert(memo(pair * 2 + 1))
                    }
                }
                group.addTask {
                    let seen = try await count(below: 200, in: store)
                    try expect(seen.isMultiple(of: 2), "a read saw half of a write: \(seen) memos")
                }
            }
            try await group.waitForAll()
        }
    }

    func forgetsMemosInTime(_ store: any Store<Records>) async throws {
        for number in 0..<UInt64(5) { try await insert(memo(number, replyUntil: 100, keptUntil: 100), in: store) }
        try await insert(memo(5, reply: [8], replyUntil: 100, keptUntil: 900), in: store)
        try await insert(memo(6, reply: [8], replyUntil: 900, keptUntil: 900), in: store)
        func forget() async throws -> Int {
            try await store.write { [memos] records in
                try memos(records).deleteMemos(keptUntilBefore: Timestamp(seconds: 200), limit: 3)
            }
        }
        let rounds = [try await forget(), try await forget(), try await forget()]
        try expect(rounds == [3, 2, 0], "deleted \(rounds) instead of 3, 2, 0")
        try expect(try await count(below: 5, in: store) == 0, "memos outlived their time")
        let (emptied, kept) = (try await find(5, in: store), try await find(6, in: store))
        try expect(emptied?.reply == [] && emptied?.keptUntil == Timestamp(seconds: 900), "a reply outlived its time")
        try expect(kept?.reply == [8], "a reply went before its time")
    }

    func commitsNothingLate(_ store: any Store<Records>) async throws {
        // Some of fifty writers at once take longer than they may, as whoever is stopped in the middle.
        let late = Set<UInt64>(stride(from: 5, to: 50, by: 9))
        let failed = try await withThrowingTaskGroup(of: UInt64?.self) { group in
            for number in 0..<UInt64(50) {
                group.addTask {
                    let memo = memo(number)
                    let deadline = ContinuousClock.now + .seconds(late.contains(number) ? 1 : 300)
                    do {
                        try await store.write(until: deadline) { [memos] records in
                            try memos(records).insert(memo)
                            while late.contains(number), .now < deadline { usleep(1_000) }
                        }
                        return nil
                    } catch StorageError.unavailable {
                        return number
                    }
                }
            }
            return try await group.reduce(into: Set<UInt64>()) { failed, number in
                if let number { failed.insert(number) }
            }
        }
        try expect(failed == late, "\(failed.sorted()) were told that they failed, not \(late.sorted())")
        for number in 0..<UInt64(50) {
            let isThere = try await find(number, in: store) != nil
            try expect(isThere != late.contains(number), "write \(number) is \(isThere ? "there" : "lost")")
        }
    }

    func refusesWhenClosed(_ opened: OpenStore<Records>) async throws {
        await opened.close()
        do {
            try await insert(memo(1), in: opened.store)
            throw ConformanceFailure("a closed store took a write")
        } catch StorageError.unavailable {}
    }
}
