import Synchronization

/// What several generators tell, told to one observer as if it came from one: a second when all have told it, counts and histograms
/// added up.
package final class MergedProgress: Sendable {
    private struct Second {
        var told = 0
        var slice: Slice?
        var interval: [Latency: Histogram] = [:]

        mutating func add(_ other: Slice, _ times: [Latency: Histogram]) {
            told += 1
            interval.merge(times) { $0.merging($1) }
            var sum = slice ?? other
            if slice != nil { sum.add(other) }
            sum.latency = interval.mapNames { Percentiles($0) }
            slice = sum
        }
    }

    private struct PhaseState {
        var hasBegun = false
        /// Not yet told by all, by their number.
        var open: [Int: Second] = [:]
        /// Of each generator, the latest.
        var failures: [Int: [String: Int]] = [:]
        var ended = Second()

        /// The `number`th second, once all have told it.
        mutating func complete(_ number: Int, _ slice: Slice, _ interval: [Latency: Histogram], _ generators: Int)
            -> Second?
        {
            var second = open.removeValue(forKey: number) ?? Second()
            second.add(slice, interval)
            guard second.told < generators else { return second }
            open[number] = second
            return nil
        }
    }

    private struct State {
        var made: [Int: Int] = [:]
        var phases: [PhaseState]
        var removed = 0
        var left = 0
    }

    private let phases: [Phase]
    private let people: Int
    private let generators: Int
    private let observer: any RunObserver
    private let state: Mutex<State>

    package init(_ phases: [Phase], people: Int, generators: Int, observer: any RunObserver) {
        self.phases = phases
        self.people = people
        self.generators = generators
        self.observer = observer
        state = Mutex(State(phases: phases.map { _ in PhaseState() }))
    }

    /// Throws for what no generator of this run says.
    package func take(_ message: GeneratorMessage, from generator: Int) throws {
        switch message {
        case .ready, .report: return
        case .made(let count):
            let made = state.withLock { state in
                state.made[generator] = count
                return state.made.values.reduce(0, +)
            }
            observer.made(made, of: people)
        case .began(let place):
            let isFirst = try change(place) { phase in
                defer { phase.hasBegun = true }
                return !phase.hasBegun
            }
            if isFirst { observer.began(phases[place]) }
        case .passed(let place, let number, let slice, let interval, let failures):
            let times = try Self.decoded(interval)
            let (complete, failed): (Second?, [String: Int]) = try change(place) { phase in
                phase.failures[generator] = failures
                let all = phase.failures.values.reduce(into: [:]) { $0.merge($1, uniquingKeysWith: +) }
                return (phase.complete(number, slice, times, generators), all)
            }
            guard let complete, let sum = complete.slice else { return }
            observer.passed(sum, of: phases[place], complete.interval, failures: failed)
        case .ended(let place, let second, let interval):
            try ended(place, at: second, try Self.decoded(interval))
        case .removed(let left):
            let total: Int? = state.withLock { state in
                state.removed += 1
                state.left += left
                return state.removed == generators ? state.left : nil
            }
            if let total { observer.removed(left: total) }
        }
    }

    /// What was told by some alone is part of the end.
    private func ended(_ place: Int, at second: Double, _ interval: [Latency: Histogram]) throws {
        let end: (second: Double, interval: [Latency: Histogram])? = try change(place) { phase in
            phase.ended.told += 1
            phase.ended.interval.merge(interval) { $0.merging($1) }
            guard phase.ended.told == generators else { return nil }
            for open in phase.open.values { phase.ended.interval.merge(open.interval) { $0.merging($1) } }
            phase.open = [:]
            return (second, phase.ended.interval)
        }
        if let end { observer.ended(phases[place], at: end.second, end.interval) }
    }

    private func change<Value: Sendable>(_ place: Int, _ work: (inout PhaseState) -> Value) throws -> Value {
        guard phases.indices.contains(place) else { throw ScenarioError("a generator tells of a phase \(place)") }
        return state.withLock { work(&$0.phases[place]) }
    }

    private static func decoded(_ interval: [String: String]) throws -> [Latency: Histogram] {
        try interval.reduce(into: [:]) { histograms, entry in
            guard let latency = Latency(rawValue: entry.key) else {
                throw ScenarioError("a generator times '\(entry.key)'")
            }
            histograms[latency] = try HistogramEncoding.decode(entry.value)
        }
    }
}

extension Histogram {
    fileprivate func merging(_ other: Histogram) -> Histogram {
        var sum = self
        sum.merge(other)
        return sum
    }
}
