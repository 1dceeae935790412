/// The part of a run that one of several generator processes has: together they do what one would. People are dealt out evenly, and of
/// an open loop's sign-ins each process begins every `count`-th, at the time that the whole schedule says.
package struct Share: Sendable, Equatable, CustomStringConvertible {
    /// Processes of one run at most.
    package static let countMax = 64

    /// From 0.
    package let index: Int
    package let count: Int

    package static let whole = Share(index: 0, count: 1)

    package init(index: Int, count: Int) {
        precondition(count > 0 && (0..<count).contains(index), "a share is one of those that there are")
        self.index = index
        self.count = count
    }

    /// `0/4` to `3/4`. Nil for anything else.
    package init?(_ text: String) {
        let numbers = text.split(separator: "/", omittingEmptySubsequences: false).map { Int($0) }
        guard numbers.count == 2, let index = numbers[0], let count = numbers[1], count > 0, (0..<count).contains(index)
        else { return nil }
        self.init(index: index, count: count)
    }

    package var description: String { "\(index)/\(count)" }

    /// How many of `people` are this share's.
    package func part(of people: Int) -> Int { people / count + (index < people % count ? 1 : 0) }

    /// Which of so many arrivals are this share's.
    func indices(of arrivals: Int) -> StrideTo<Int> { stride(from: index, to: arrivals, by: count) }
}
