import Domain
import Logging
import Storage
import Telemetry

/// What a process tells of its store's work, in metrics and logs.
struct StoreReports: Sendable {
    private let writes: Histogram
    private let duration: Histogram
    private let commits: Counter
    private let failedRuns: Counter
    private let logger: Logger

    init(_ metrics: MetricsRegistry, _ logger: Logger) {
        writes = metrics.histogram(
            "countersign_store_commit_writes", help: "Writes that shared a commit.",
            buckets: [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1_024])
        duration = metrics.histogram(
            "countersign_store_commit_duration_seconds", help: "Time of a commit, from its begin to disk.")
        commits = metrics.counter(
            "countersign_store_commits_total", help: "Commits, by outcome.", labels: ["outcome"])
        failedRuns = metrics.counter(
            "countersign_store_failed_runs_total",
            help: "Runs of transactions that the database server or its connection ended, by cause and what followed.",
            labels: ["cause", "consequence"])
        self.logger = logger
    }

    func count(_ report: CommitReport) {
        writes.observe(Double(report.writes))
        duration.observe(report.duration)
        commits.increment(report.isCommitted ? "committed" : "failed")
    }

    /// A run that is followed by another is everyday at load, and so is a row that is there already: what nobody hears of otherwise is
    /// who asked and got nothing.
    func tell(_ run: FailedRun) {
        failedRuns.increment(run.cause.rawValue, run.consequence.rawValue)
        switch run.consequence {
        case .rerun: logger.debug("transaction is run again", metadata: run.metadata)
        case .exhausted: logger.warning("transaction given up after its reruns", metadata: run.metadata)
        case .refused:
            logger.log(
                level: run.cause == .constraint ? .debug : .warning, "transaction refused by the database",
                metadata: run.metadata)
        }
    }
}

extension FailedRun {
    /// Names and numbers, never what a statement was given.
    fileprivate var metadata: Logger.Metadata {
        let texts = [
            "sqlState": sqlState, "statement": statement, "firstStatement": firstStatement, "detail": detail,
            "method": origin?.method, "requestId": origin?.requestID.description,
        ]
        return texts.compactMapValues { $0.map { "\($0)" } }
            .merging(["cause": "\(cause.rawValue)", "runs": "\(runs)"]) { $1 }
    }
}
