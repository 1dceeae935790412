/// What a run, or several that were merged, came to: the JSON that `--json` writes.
package struct Report: Sendable, Codable, Equatable {
    /// RFC 3339, UTC.
    package var startedAt: String
    package var gateway: String
    package var people: Int
    package var mix: String
    package var answerTime: String
    /// How phones heard of requests.
    package var wake: String
    package var phases: [PhaseResult]
}

/// One phase in numbers. Times of `latency` are milliseconds.
package struct PhaseResult: Sendable, Codable, Equatable {
    package var name: String
    /// As it was asked for: `200/s for 30 s`.
    package var load: String
    package var seconds: Double
    /// Sign-ins that were meant to begin; of them `notStarted` found nobody free before the phase ended or too many were waiting.
    package var offered: Int
    package var begun: Int
    package var completed: Int
    /// Of `completed`, those that ended before the phase did: what `rate` is made of.
    package var completedInTime: Int
    /// Completed a second while the phase lasted.
    package var rate: Double
    /// Begun after their time, because nobody was free; their latency counts from it nevertheless.
    package var late: Int
    package var notStarted: Int
    /// Completed sign-ins by what was intended and happened.
    package var outcomes: [String: Int]
    package var failures: [String: Int]
    /// Event streams and waits that were lost and taken up again. They are no failures.
    package var reconnections: [String: Int]
    /// What was not as intended, or a receipt that does not verify.
    package var mismatches: [String: Int]
    package var latency: [String: Percentiles]
    /// HdrHistogram's V2 compressed encoding in base64, microseconds: what merging adds up.
    package var histograms: [String: String]
    package var httpRequests: Int
    package var httpRequestsPerSignIn: Double
    package var timeline: [Slice]

    package var failed: Int { failures.values.reduce(0, +) }
    package var reconnected: Int { reconnections.values.reduce(0, +) }
    package var mismatched: Int { mismatches.values.reduce(0, +) }
}

/// A second of a phase.
package struct Slice: Sendable, Codable, Equatable {
    /// Its end, in seconds from the start of the phase.
    package var second: Double
    package var offered: Int
    package var completed: Int
    package var failed: Int
    package var inFlight: Int
    package var latency: [String: Percentiles]

    init(second: Double, counts: Counts, before: Counts, latency: [String: Percentiles]) {
        self.second = second
        offered = counts.offered - before.offered
        completed = counts.completed - before.completed
        failed = counts.failed - before.failed
        inFlight = counts.begun - counts.ended
        self.latency = latency
    }
}

extension PhaseResult {
    init(
        phase: Phase, seconds: Double, requests: Int, counts: Counts, histograms: [Latency: Histogram],
        timeline: [Slice]
    ) {
        name = phase.name
        load = phase.description
        self.seconds = (seconds * 1000).rounded() / 1000
        offered = counts.offered
        begun = counts.begun
        completed = counts.completed
        completedInTime = counts.completedInTime
        rate = seconds > 0 ? (Double(counts.completedInTime) / seconds * 100).rounded() / 100 : 0
        late = counts.late
        notStarted = counts.notStarted
        outcomes = counts.outcomes
        failures = counts.failures
        reconnections = counts.reconnections
        mismatches = counts.mismatches
        latency = histograms.mapNames { Percentiles($0) }
        self.histograms = histograms.mapNames { HistogramEncoding.encode($0) }
        httpRequests = requests
        httpRequestsPerSignIn =
            counts.completedInTime > 0
            ? (Double(requests) / Double(counts.completedInTime) * 1000).rounded() / 1000 : 0
        self.timeline = timeline
    }
}
