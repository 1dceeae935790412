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

    /// What ended a request's transaction stands in the line that says how the request ended; where no request asked, or it is over,
    /// there is a line of its own.
    func tell(_ run: FailedRun) {
        failedRuns.increment(run.cause.rawValue, run.consequence.rawValue)
        guard run.isEveryday || run.origin?.remember(run) != true else { return }
        logger.log(run, of: run.origin.map { ["method": "\($0.method)", "requestId": "\($0.requestID)"] } ?? [:])
    }
}

extension Logger {
    /// `request` says whose transaction it was.
    func log(_ run: FailedRun, of request: Logger.Metadata) {
        let sentence: Logger.Message =
            switch run.consequence {
            case .rerun: "transaction is run again"
            case .exhausted: "transaction given up after its reruns"
            case .refused: "transaction refused by the database"
            }
        log(level: run.isEveryday ? .debug : .warning, sentence, metadata: request.merging(run.metadata) { $1 })
    }
}

extension FailedRun {
    /// A run that is followed by another is, at load, and so is a row that is there already: whoever asked gets what was asked for, or
    /// a sentence about it.
    fileprivate var isEveryday: Bool { consequence == .rerun || (consequence == .refused && cause == .constraint) }

    /// Names and numbers, never what a statement was given.
    var metadata: Logger.Metadata {
        let texts = [
            "sqlState": sqlState, "statement": statement, "firstStatement": firstStatement, "detail": detail,
        ]
        return texts.compactMapValues { $0.map { "\($0)" } }
            .merging(["cause": "\(cause.rawValue)", "runs": "\(runs)"]) { $1 }
    }
}
