/// What one loop reached in one round: round trips a second, and how long one took.
struct Measurement: Codable, Sendable {
    let roundTripsPerSecond: Double
    let p50Microseconds: Double
    let p99Microseconds: Double

    /// `times`: one a round trip; at least one.
    init(_ times: [Duration], over elapsed: Duration) {
        precondition(!times.isEmpty, "a round without a round trip measures nothing")
        let sorted = times.sorted()
        func microseconds(_ quantile: Double) -> Double {
            sorted[min(sorted.count - 1, Int(Double(sorted.count) * quantile))] / .microseconds(1)
        }
        roundTripsPerSecond = Double(times.count) / (elapsed / .seconds(1))
        p50Microseconds = microseconds(0.50)
        p99Microseconds = microseconds(0.99)
    }

    /// The round with the middle rate; of an even number, the better of the two in the middle.
    static func median(of rounds: [Measurement]) -> Measurement {
        rounds.sorted { $0.roundTripsPerSecond < $1.roundTripsPerSecond }[rounds.count / 2]
    }

    var line: String {
        "\(Int(roundTripsPerSecond)) a second, p50 \(Int(p50Microseconds)) us, p99 \(Int(p99Microseconds)) us"
    }
}
