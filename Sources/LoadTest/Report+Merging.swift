extension Report {
    /// What several processes, which ran the same phases at the same time, came to together. Throws when their phases differ or a
    /// histogram cannot be read.
    package static func merged(_ reports: [Report]) throws -> Report {
        guard var merged = reports.first else { throw ScenarioError("there is nothing to merge") }
        for other in reports.dropFirst() {
            guard merged.phases.map(\.name) == other.phases.map(\.name) else {
                throw ScenarioError(
                    "the reports have different phases: runs are merged that did the same at the same time")
            }
            merged.startedAt = min(merged.startedAt, other.startedAt)
            merged.people += other.people
            for index in merged.phases.indices { try merged.phases[index].add(other.phases[index]) }
        }
        return merged
    }
}

extension PhaseResult {
    fileprivate mutating func add(_ other: PhaseResult) throws {
        seconds = max(seconds, other.seconds)
        offered += other.offered
        begun += other.begun
        completed += other.completed
        completedInTime += other.completedInTime
        late += other.late
        notStarted += other.notStarted
        outcomes.merge(other.outcomes, uniquingKeysWith: +)
        failures.merge(other.failures, uniquingKeysWith: +)
        reconnections.merge(other.reconnections, uniquingKeysWith: +)
        mismatches.merge(other.mismatches, uniquingKeysWith: +)
        httpRequests += other.httpRequests
        rate = seconds > 0 ? Double(completedInTime) / seconds : 0
        httpRequestsPerSignIn = completedInTime > 0 ? Double(httpRequests) / Double(completedInTime) : 0
        if load != other.load { load += " + \(other.load)" }
        for (name, text) in other.histograms {
            var histogram = try HistogramEncoding.decode(text)
            if let own = histograms[name] { histogram.merge(try HistogramEncoding.decode(own)) }
            histograms[name] = HistogramEncoding.encode(histogram)
            latency[name] = Percentiles(histogram)
        }
        for (index, slice) in other.timeline.enumerated() {
            if index < timeline.count { timeline[index].add(slice) } else { timeline.append(slice) }
        }
    }
}

extension Slice {
    /// Percentiles of parts do not add up: of each the higher one is kept, which is never better than the truth.
    mutating func add(_ other: Slice) {
        offered += other.offered
        completed += other.completed
        failed += other.failed
        inFlight += other.inFlight
        latency.merge(other.latency) { own, other in
            Percentiles(
                p50: max(own.p50, other.p50), p90: max(own.p90, other.p90), p99: max(own.p99, other.p99),
                p999: max(own.p999, other.p999), max: max(own.max, other.max), mean: max(own.mean, other.mean))
        }
    }
}
