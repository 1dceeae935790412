/// A part of a run with one kind of load.
package struct Phase: Sendable, Equatable {
    package enum Load: Sendable, Equatable {
        /// A closed loop: each of so many people begins the next sign-in when the last has ended.
        case people(Int)
        /// An open loop: sign-ins a second, whatever becomes of them; rising or falling evenly.
        case rate(from: Double, to: Double)
    }

    static let rates = 0.01...100_000.0
    static let longest = Duration.seconds(7 * 86_400)
    package static let peopleMax = 10_000

    package let name: String
    package let load: Load
    package let duration: Duration

    package init(name: String, load: Load, duration: Duration) {
        self.name = name
        self.load = load
        self.duration = duration
    }

    /// `[NAME] LOAD for TIME`, LOAD being `32 people`, `200/s` or `10..200/s`, as in `ramp 10..200/s for 30s`.
    package init(_ text: String, index: Int) throws(ScenarioError) {
        var words = text.split(whereSeparator: \.isWhitespace).map(String.init)
        let example =
            "'\(text)' is no phase: [NAME] 32 people, 200/s or 10..200/s, then for TIME, as in ramp 10..200/s for 30s"
        guard words.count >= 3, let duration = Duration(words.removeLast()), duration <= Self.longest,
            words.removeLast() == "for"
        else { throw ScenarioError(example) }
        if words.last == "people" {
            words.removeLast()
            guard let people = words.popLast().flatMap({ Int($0) }), (1...Self.peopleMax).contains(people) else {
                throw ScenarioError("\(example); 1 to \(Self.peopleMax) people")
            }
            load = .people(people)
        } else {
            guard let load = words.popLast().flatMap({ Self.rate($0) }) else {
                throw ScenarioError("\(example); rates from \(Self.rates.lowerBound) to \(Int(Self.rates.upperBound))")
            }
            self.load = load
        }
        name = words.isEmpty ? "phase \(index + 1)" : words.joined(separator: " ")
        self.duration = duration
    }

    private static func rate(_ word: String) -> Load? {
        let isRange = word.contains("..")
        guard isRange || word.hasSuffix("/s") else { return nil }
        let numbers = (word.hasSuffix("/s") ? String(word.dropLast(2)) : word).split(
            separator: "..", omittingEmptySubsequences: false)
        let rates = numbers.compactMap { Double($0) }.filter { Self.rates.contains($0) }
        guard rates.count == numbers.count, rates.count == (isRange ? 2 : 1) else { return nil }
        return .rate(from: rates[0], to: rates[rates.count - 1])
    }

    package var description: String {
        let seconds = "\(duration.inSeconds.short) s"
        return switch load {
        case .people(let count): "\(count) people for \(seconds)"
        case .rate(let from, let to) where from == to: "\(from.short)/s for \(seconds)"
        case .rate(let from, let to): "\(from.short)..\(to.short)/s for \(seconds)"
        }
    }
}

/// When the sign-ins of an open loop are meant to begin: the k-th when the integral of the rate reaches k.
struct ArrivalSchedule: Sendable {
    let from: Double
    let to: Double
    /// Seconds.
    let duration: Double

    var count: Int { Int(((from + to) / 2 * duration - 1e-9).rounded(.up)) }

    /// Seconds from the phase's start, `index` from 0.
    func time(of index: Int) -> Double {
        let slope = (to - from) / duration
        let reached = Double(index)
        // The root of `from t + slope t^2 / 2 = reached` in the form that does not divide by a slope of 0.
        return 2 * reached / (from + max(0, from * from + 2 * slope * reached).squareRoot())
    }
}
