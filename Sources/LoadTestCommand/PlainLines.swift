import LoadTest

/// What is told where nobody watches: a line for each step.
struct PlainLines: RunObserver {
    func made(_ count: Int, of total: Int) {
        if count == total { print("made \(total) people with phones") }
    }

    func began(_ phase: Phase) { print("\(phase.name): \(phase.description)") }

    func passed(_ slice: Slice, of phase: Phase, _ interval: [Latency: Histogram], failures: [String: Int]) {}

    func removed(left: Int) {
        if left > 0 { print("\(left) people could not be removed: their names begin with load-") }
    }
}
