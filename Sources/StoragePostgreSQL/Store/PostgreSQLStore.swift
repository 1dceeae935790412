import Failpoints
import Foundation
package import Storage

/// A service's records in one schema of a PostgreSQL database, which several processes of the service may share.
///
/// Writes come out as if one had run after the other, whichever process they run in, as with a single writer: because they are
/// SERIALIZABLE, or run on snapshots (`PostgreSQLRecords.writeMode`) and write what their decision hangs on. Reads run on snapshots.
/// A body may run several times until one run of it is committed (see `Session`).
package final class PostgreSQLStore<Records>: Store {
    private let pool: ConnectionPool
    private let migrations: PostgreSQLMigrations
    private let writeMode: Connection.Mode
    private let records: @Sendable (Connection) -> Records
    private let announcer: Announcer
    private let listener: Listener

    /// Connects, makes the schema when there is none, and brings it up to date. Throws `StoreOpeningError`.
    init(
        _ configuration: PostgreSQLConfiguration, migrations: PostgreSQLMigrations, writeMode: Connection.Mode = .write,
        surroundings: Session.Surroundings = Session.Surroundings(),
        records: @escaping @Sendable (Connection) -> Records
    ) async throws(StoreOpeningError) {
        try await Self.prepare(configuration, migrations)
        self.migrations = migrations
        self.writeMode = writeMode
        self.records = records
        pool = ConnectionPool(configuration, surroundings)
        let (channel, name) = ("countersign_\(configuration.schema)", UUID().uuidString)
        announcer = Announcer(pool, channel: channel, name: name)
        listener = Listener(configuration, channel: channel, name: name)
        listener.start()
    }

    /// Opens the schema of the service whose records are `Kind`; `records` says as what they are seen.
    convenience init<Kind: PostgreSQLRecords>(
        _ configuration: PostgreSQLConfiguration, of kind: Kind.Type,
        onCommit: @escaping @Sendable (CommitReport) -> Void,
        onFailedRun: @escaping @Sendable (FailedRun) -> Void, as records: @escaping @Sendable (Kind) -> Records
    ) async throws(StoreOpeningError) {
        try await self.init(
            configuration, migrations: Kind.migrations, writeMode: Kind.writeMode,
            surroundings: Session.Surroundings(onCommit: onCommit, onFailedRun: onFailedRun)
        ) { records(Kind(connection: $0)) }
    }

    /// On a thread of its own, because it waits for the server.
    private static func prepare(
        _ configuration: PostgreSQLConfiguration, _ migrations: PostgreSQLMigrations
    ) async throws(StoreOpeningError) {
        let outcome = await withCheckedContinuation {
            (reply: CheckedContinuation<Result<Void, StoreOpeningError>, Never>) in
            Thread.detachNewThread {
                reply.resume(
                    returning: Result { () throws(StoreOpeningError) in
                        try migrations.apply(on: try Connection(configuration), configuration)
                    })
            }
        }
        try outcome.get()
    }

    package func write<Result: Sendable>(
        until deadline: ContinuousClock.Instant?, _ body: @escaping @Sendable (Records) throws -> Result
    ) async throws -> Result {
        try Task.checkCancellation()
        let method = Failpoint.method
        let origin = TransactionOrigin.current
        let result = try await pool.perform { [records, writeMode] session in
            try session.transact(writeMode, for: origin) {
                let result = try body(records($0))
                Failpoint.beforeCommit.reach(method)
                if let deadline, deadline <= .now { throw StorageError.unavailable }
                return result
            }
        }
        Failpoint.afterCommit.reach(method)
        return result
    }

    package func read<Result: Sendable>(_ body: @escaping @Sendable (Records) throws -> Result) async throws -> Result {
        let origin = TransactionOrigin.current
        return try await pool.perform { [records] session in
            try session.transact(.read, for: origin) { try body(records($0)) }
        }
    }

    package func announce(_ word: String) { announcer.announce(word) }

    package var announcements: AsyncStream<StoreAnnouncement>? { listener.announcements }

    package func check() async throws {
        let version = try await pool.perform { session in
            try session.transact(.read) { try PostgreSQLMigrations.version(on: $0) }
        }
        // A newer build beside this one, in a rolling upgrade, has gone on; its steps leave what this one uses.
        guard version >= migrations.latest else { throw StorageError.corrupt }
    }

    /// Bodies that wait for a connection.
    package var waiting: Int { pool.queued }

    package func close() async {
        listener.stop()
        await pool.close()
    }

    deinit {
        listener.stop()
        pool.stop()
    }
}
