import Foundation

/// How long a person takes to pick up the phone, read and type: log-normal, as human reaction times are, or nothing.
package struct AnswerTime: Sendable, Equatable {
    /// Of the logarithm: one in six takes 1.65 times the median or longer.
    static let sigma = 0.5
    /// What is drawn longer is cut: a request lives for a minute.
    static let longest = Duration.seconds(45)
    static let medians = 0.1...30.0

    /// In seconds; nil: the phone answers at once.
    private let median: Double?

    package static let none = AnswerTime(median: nil)

    private init(median: Double?) { self.median = median }

    /// `none`, or the median as `4s`.
    package init(_ text: String) throws(ScenarioError) {
        if text == "none" {
            self = .none
            return
        }
        guard let median = Duration(text)?.inSeconds, Self.medians.contains(median) else {
            throw ScenarioError("'\(text)' is no answer time: none, or a median from 100ms to 30s, as in 4s")
        }
        self.median = median
    }

    package func draw(using generator: inout some RandomNumberGenerator) -> Duration {
        guard let median else { return .zero }
        // Box-Muller; 1 minus a number below 1 is not 0.
        let first = 1 - Double.random(in: 0..<1, using: &generator)
        let second = Double.random(in: 0..<1, using: &generator)
        let normal = (-2 * log(first)).squareRoot() * cos(2 * .pi * second)
        return min(.seconds(median * exp(Self.sigma * normal)), Self.longest)
    }

    package var description: String { median.map { "\($0.short) s (median)" } ?? "none" }
}
