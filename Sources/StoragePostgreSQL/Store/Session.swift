import Domain
import Foundation
import Storage

/// One thread's connection, opened when it is needed and again when it was lost, and the runs of a body on it.
///
/// A body runs until one run of it is committed: a run that another transaction overtook, or whose connection was lost before the
/// commit was sent, left nothing behind. After that, nobody repeats it but its caller: `StorageError.unknown`.
final class Session {
    private let configuration: PostgreSQLConfiguration
    private let surroundings: Surroundings
    private var connection: Connection?

    /// What a session has from its store.
    struct Surroundings: Sendable {
        var onCommit: @Sendable (CommitReport) -> Void = { _ in }
        var onFailedRun: @Sendable (FailedRun) -> Void = { _ in }
        /// Where pauses take their jitter from.
        var random: @Sendable (ClosedRange<Double>) -> Double = { Double.random(in: $0) }
    }

    init(_ configuration: PostgreSQLConfiguration, _ surroundings: Surroundings) {
        self.configuration = configuration
        self.surroundings = surroundings
    }

    /// Throws what the body throws, and `StorageError`. `origin` is the request that asks for it.
    func transact<Result>(
        _ mode: Connection.Mode, for origin: TransactionOrigin? = nil, _ body: (Connection) throws -> Result
    ) throws -> Result {
        var reruns = Reruns(configuration, surroundings.random)
        while true {
            do {
                return try attempt(mode, body)
            } catch let failed as FailedAttempt {
                let runs = reruns.runs
                let pause = failed.failure.allowsRerun ? reruns.next() : nil
                let consequence: FailedRun.Consequence =
                    pause != nil ? .rerun : failed.failure.allowsRerun ? .exhausted : .refused
                surroundings.onFailedRun(
                    FailedRun(failed.complaint, consequence: consequence, runs: runs, origin: origin))
                guard let pause else { throw failed.error }
                // The thread is this session's own: nobody else waits for it.
                Thread.sleep(forTimeInterval: pause)
            }
        }
    }

    /// A run that did not fail by its body's own will.
    private struct FailedAttempt: Error {
        let failure: Failure
        let complaint: Complaint?
        /// For whoever asked, when there is not another run.
        let error: any Error
    }

    private func attempt<Result>(_ mode: Connection.Mode, _ body: (Connection) throws -> Result) throws -> Result {
        let connection = try connected()
        defer { if connection.isLost { self.connection = nil } }
        let start = ContinuousClock.now
        connection.begin(mode)
        let result: Result
        do {
            result = try body(connection)
        } catch {
            let failure = connection.failure ?? error as? Failure
            connection.rollBack()
            guard let failure else { throw error }
            // What a body makes of a refusal is its own affair; of a failure that is none, it does not count.
            throw FailedAttempt(
                failure: failure, complaint: connection.complaint,
                error: failure.allowsRerun ? failure.finalError : error)
        }
        do {
            try connection.commit()
        } catch {
            report(mode, start, isCommitted: false)
            throw FailedAttempt(failure: error, complaint: connection.complaint, error: error.finalError)
        }
        report(mode, start, isCommitted: true)
        return result
    }

    private func report(_ mode: Connection.Mode, _ start: ContinuousClock.Instant, isCommitted: Bool) {
        guard mode != .read else { return }
        surroundings.onCommit(CommitReport(writes: 1, duration: .now - start, isCommitted: isCommitted))
    }

    private func connected() throws -> Connection {
        if let connection, connection.isAlive { return connection }
        connection = nil
        do {
            let opened = try Connection(configuration)
            connection = opened
            return opened
        } catch {
            throw FailedAttempt(
                failure: .lost, complaint: Complaint(detail: error.description), error: Failure.lost.finalError)
        }
    }
}

/// How often and when a body is run again: growing, jittered pauses, within a count and a time.
struct Reruns {
    /// Seconds.
    private static let firstPause = 0.001
    private static let longestPause = 0.2

    /// Runs so far, the one under way included.
    private(set) var runs = 1
    private var left: Int
    private let end: ContinuousClock.Instant
    private let random: (ClosedRange<Double>) -> Double
    private var ceiling = firstPause

    init(_ configuration: PostgreSQLConfiguration, _ random: @escaping (ClosedRange<Double>) -> Double) {
        left = configuration.rerunsMax
        end = .now + configuration.rerunTimeMax
        self.random = random
    }

    /// Seconds until the next run; nil when there is none.
    mutating func next() -> Double? {
        guard left > 0, .now < end else { return nil }
        left -= 1
        runs += 1
        defer { ceiling = min(ceiling * 2, Self.longestPause) }
        return random(0...ceiling)
    }
}
