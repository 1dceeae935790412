/// What a simulated person is going to do about a sign-in. Raw values are the names in `--mix` and in reports.
package enum Intention: String, Sendable, Codable, CaseIterable {
    case approve
    case decline
    case wrongNumber = "wrong-number"
    /// The phone stays silent, and the page gives up.
    case noAnswer = "no-answer"
    /// The phone is offline and generates a code, as a second factor.
    case code

    /// Whether the server counts it as a request that rang for nothing: after too many in a row it stops ringing.
    var isMiss: Bool { self != .approve && self != .code }
}

/// How often each intention is drawn: weights, as `approve=80,decline=5,code=15`.
package struct Mix: Sendable, Equatable, CustomStringConvertible {
    private let weights: [Intention: Double]

    package static let approvals = Mix(weights: [.approve: 1])

    private init(weights: [Intention: Double]) { self.weights = weights }

    /// Throws for a name that is none, one that stands twice, and weights that are not positive in sum.
    package init(_ text: String) throws(ScenarioError) {
        var weights: [Intention: Double] = [:]
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            let sides = part.split(separator: "=", omittingEmptySubsequences: false)
            guard sides.count == 2, let intention = Intention(rawValue: sides[0].trimmed), weights[intention] == nil,
                let weight = Double(sides[1].trimmed), weight.isFinite, weight >= 0
            else {
                let names = Intention.allCases.map(\.rawValue).joined(separator: ", ")
                throw ScenarioError("'\(part)' is no share of a mix: each of \(names) once, as in approve=80,code=20")
            }
            weights[intention] = weight
        }
        guard weights.values.reduce(0, +) > 0 else { throw ScenarioError("a mix needs a share that is not 0") }
        self.weights = weights
    }

    package func draw(using generator: inout some RandomNumberGenerator) -> Intention {
        var rest = Double.random(in: 0..<weights.values.reduce(0, +), using: &generator)
        for intention in Intention.allCases {
            guard let weight = weights[intention] else { continue }
            if rest < weight { return intention }
            rest -= weight
        }
        return .approve
    }

    var hasMisses: Bool { weights.contains { $0.key.isMiss && $0.value > 0 } }

    package var description: String {
        Intention.allCases.compactMap { intention in weights[intention].map { "\(intention.rawValue)=\($0.short)" } }
            .joined(separator: ",")
    }
}
