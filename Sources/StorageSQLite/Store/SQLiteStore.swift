import Failpoints
package import GRDB
package import Storage

/// A service's database in one SQLite file, in WAL mode with `synchronous = FULL`: a commit is on disk when it returns.
///
/// Writes are grouped (see `GroupCommit`); reads run beside them on snapshots, those by key on the caller's thread. One process owns
/// the file: a second one is refused by a lock on `<path>.lock`, which the system releases however the owner ends.
package final class SQLiteStore<Records>: Store {
    private let pool: DatabasePool
    /// For reads by key alone, so that none of them waits for a longer one.
    private let reader: DatabaseQueue
    private let migrations: SQLiteMigrations
    private let records: @Sendable (Database) -> Records
    private let commits: GroupCommit
    private let ownership: StoreOwnership

    /// Opens the file, or makes it, and brings its schema up to date. Throws `StoreOpeningError`.
    package init(
        path: String, migrations: SQLiteMigrations, limits: SQLiteLimits = SQLiteLimits(),
        onCommit: @escaping @Sendable (CommitReport) -> Void = { _ in },
        records: @escaping @Sendable (Database) -> Records
    ) throws(StoreOpeningError) {
        ownership = try StoreOwnership(path: path)
        do {
            pool = try DatabasePool(path: path, configuration: Self.configuration(limits))
            try pool.writeWithoutTransaction { database in
                // After the pool has chosen NORMAL, which may lose the last commits when the power fails.
                try database.execute(sql: "PRAGMA synchronous = FULL")
                // What undoes one write of a batch is of no use after a crash: in a file it is more than half of all that is written.
                try database.execute(sql: "PRAGMA temp_store = MEMORY")
                try migrations.apply(to: database, path: path)
            }
            var configuration = Self.configuration(limits)
            configuration.readonly = true
            reader = try DatabaseQueue(path: path, configuration: configuration)
        } catch let error as StoreOpeningError {
            throw error
        } catch let error as DatabaseError {
            throw StoreOpeningError(error, path: path)
        } catch {
            throw .inaccessible(path: path, detail: "\(error)")
        }
        self.migrations = migrations
        self.records = records
        commits = GroupCommit(pool: pool, limits: limits, onCommit: onCommit)
    }

    /// Opens the file of the service whose records are `Kind`; `records` says as what they are seen.
    convenience init<Kind: SQLiteRecords>(
        path: String, of kind: Kind.Type, limits: SQLiteLimits, onCommit: @escaping @Sendable (CommitReport) -> Void,
        as records: @escaping @Sendable (Kind) -> Records
    ) throws(StoreOpeningError) {
        try self.init(path: path, migrations: Kind.migrations, limits: limits, onCommit: onCommit) {
            records(Kind($0))
        }
    }

    package func write<Result: Sendable>(
        until deadline: ContinuousClock.Instant?, _ body: @escaping @Sendable (Records) throws -> Result
    ) async throws -> Result {
        try Task.checkCancellation()
        let method = Failpoint.method
        let result = try await commits.perform(until: deadline) { [records] database in
            let result = try body(records(database))
            Failpoint.beforeCommit.reach(method)
            return result
        }
        Failpoint.afterCommit.reach(method)
        return result
    }

    package func read<Result: Sendable>(_ body: @escaping @Sendable (Records) throws -> Result) async throws -> Result {
        do {
            return try await pool.read { [records] database in try body(records(database)) }
        } catch let error as DatabaseError {
            throw StorageError(error)
        }
    }

    package func lookUp<Result: Sendable>(
        _ body: @escaping @Sendable (Records) throws -> Result
    ) async throws -> Result {
        try Task.checkCancellation()
        do {
            return try onThisThread(body)
        } catch let error as DatabaseError {
            throw StorageError(error)
        }
    }

    /// Not asynchronous, as GRDB's overloads tell apart.
    private func onThisThread<Result>(_ body: (Records) throws -> Result) throws -> Result {
        try reader.unsafeRead { database in
            // GRDB's `read` would go on with a connection that is gone.
            guard database.sqliteConnection != nil else { throw StorageError.unavailable }
            try database.beginTransaction(.deferred)
            // Nothing was written: this only lets the snapshot go.
            defer { try? database.rollback() }
            return try body(records(database))
        }
    }

    // The file is this process's own: there is nobody to tell, and nobody to hear.
    package func announce(_ word: String) {}
    package var announcements: AsyncStream<StoreAnnouncement>? { nil }

    package func check() async throws {
        do {
            let version = try await pool.read { database in try SQLiteMigrations.version(of: database) }
            guard version == migrations.latest else { throw StorageError.corrupt }
        } catch let error as DatabaseError {
            throw StorageError(error)
        }
    }

    /// Writes that wait for the next commit.
    package var waiting: Int { commits.queued }

    /// Refuses new writes, waits until those that were accepted are on disk, and gives the file free. Reads fail from then on.
    package func close() async {
        await commits.close()
        // The pool last: who closes the file's last connection empties the log beside it.
        try? reader.close()
        do {
            try pool.close()
        } catch {
            // A statement that is still running keeps its connection; the file is consistent in any case, and the process ends.
        }
        ownership.release()
    }

    private static func configuration(_ limits: SQLiteLimits) -> Configuration {
        var configuration = Configuration()
        configuration.foreignKeysEnabled = true
        configuration.maximumReaderCount = limits.readersMax
        // Only an operator's tool that backs up the file can hold it for a moment.
        configuration.busyMode = .timeout(limits.busyTimeout)
        configuration.label = "store"
        return configuration
    }
}

/// The bounds of one SQLite store.
package struct SQLiteLimits: Sendable {
    /// Writes that wait for their commit; beyond it a write is refused as `unavailable`.
    package var queuedWritesMax = 16_384
    /// Writes that share a commit.
    package var batchWritesMax = 1_024
    package var readersMax = 4
    /// Seconds to wait for a lock that another process holds.
    package var busyTimeout = 5.0

    package init() {}
}
