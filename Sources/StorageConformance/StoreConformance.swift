import Domain
package import Storage

/// What a store did that it promises not to do.
package struct ConformanceFailure: Error, CustomStringConvertible {
    package let description: String

    init(_ description: String) { self.description = description }
}

func expect(_ condition: Bool, _ failure: @autoclosure () -> String) throws {
    if !condition { throw ConformanceFailure(failure()) }
}

/// A store that is open, and the way to close it.
package struct OpenStore<Records>: Sendable {
    package let store: any Store<Records>
    package let close: @Sendable () async -> Void

    package init(_ store: any Store<Records>, close: @escaping @Sendable () async -> Void) {
        self.store = store
        self.close = close
    }
}

/// The contract of `Store`, over the memos that every service's records have.
package struct StoreConformance<Records>: Sendable {
    /// Opens the store of one folder; the same folder is the same store.
    let open: @Sendable (_ folder: String) async throws -> OpenStore<Records>
    let memos: @Sendable (Records) -> any MemoRecords

    package init(
        memos: @escaping @Sendable (Records) -> any MemoRecords,
        open: @escaping @Sendable (_ folder: String) async throws -> OpenStore<Records>
    ) {
        self.memos = memos
        self.open = open
    }

    /// Runs one case in a folder that is its own.
    package func run(_ promise: StorePromise, folder: String) async throws {
        let opened = try await open(folder)
        do {
            switch promise {
            case .keepsWhatItCommits: try await keepsWhatItCommits(opened, folder)
            case .undoesWhatThrows: try await undoesWhatThrows(opened.store)
            case .takesAThousandWritersAtOnce: try await takesAThousandWritersAtOnce(opened.store)
            case .undoesOnlyTheThrowingOnes: try await undoesOnlyTheThrowingOnes(opened.store)
            case .letsOneOfManyWin: try await letsOneOfManyWin(opened.store)
            case .readsOneMoment: try await readsOneMoment(opened.store)
            case .forgetsMemosInTime: try await forgetsMemosInTime(opened.store)
            case .commitsNothingLate: try await commitsNothingLate(opened.store)
            case .refusesWhenClosed: try await refusesWhenClosed(opened)
            case .answersChecks: try await opened.store.check()
            }
        } catch {
            await opened.close()
            throw error
        }
        await opened.close()
    }

    func memo(_ number: UInt64, reply: [UInt8] = [1], replyUntil: Int64 = 900, keptUntil: Int64 = 900) -> Memo {
        Memo(
            request: RequestID(high: 7, low: number), fingerprint: [UInt8](repeating: 9, count: 32), reply: reply,
            replyUntil: Timestamp(seconds: replyUntil), keptUntil: Timestamp(seconds: keptUntil))
    }

    func insert(_ memo: Memo, in store: any Store<Records>) async throws {
        try await store.write { [memos] records in try memos(records).insert(memo) }
    }

    func find(_ number: UInt64, in store: any Store<Records>) async throws -> Memo? {
        try await store.lookUp { [memos] records in try memos(records).memo(RequestID(high: 7, low: number)) }
    }

    /// How many of the memos 0..<limit are there.
    func count(below limit: UInt64, in store: any Store<Records>) async throws -> Int {
        try await store.read { [memos] records in
            try (0..<limit).filter { try memos(records).memo(RequestID(high: 7, low: $0)) != nil }.count
        }
    }
}

/// What every store promises; the sentence is the name of the case.
package enum StorePromise: String, CaseIterable, Sendable, CustomStringConvertible {
    case keepsWhatItCommits = "what was committed is there after the store was opened again"
    case undoesWhatThrows = "a body that throws leaves nothing behind"
    case takesAThousandWritersAtOnce = "a thousand writers at once all commit, and each reads its own write"
    case undoesOnlyTheThrowingOnes = "among many writers at once, those that throw undo only themselves"
    case letsOneOfManyWin = "of many writers of one id, one wins and the others hear that it exists"
    case readsOneMoment = "a read sees one moment, never half of a write"
    case forgetsMemosInTime = "memos and replies go when their time is over, at most so many at once"
    case commitsNothingLate = "what is late at its commit is undone, and whatever shared the commit is not"
    case refusesWhenClosed = "a closed store takes no write"
    case answersChecks = "a store that is open answers its check"

    package var description: String { rawValue }
}
