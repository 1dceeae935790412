import Domain
import Testing

@testable import NotifierService

@Suite("Places for attempts under way")
struct PlaceSharesTests {
    private static let start = Timestamp(seconds: 1_750_000_000)
    private static func shares(_ places: Int = 100) -> PlaceShares {
        PlaceShares(placesMax: places, slowAfter: .seconds(1))
    }

    /// How many it gets of so many.
    private static func fill(
        _ shares: inout PlaceShares, _ party: String, wants: Int = 200, at time: Timestamp = Self.start
    ) -> Int {
        (0..<wants).count { _ in shares.enter(party, at: time) }
    }

    @Test("one alone has half of them, and who comes later finds half of what is left")
    func halves() {
        var shares = Self.shares()
        #expect(Self.fill(&shares, "slow") == 50)
        #expect(Self.fill(&shares, "quick") == 25)
        #expect(Self.fill(&shares, "third") == 13)
        #expect(shares.taken == 88)
    }

    @Test("a party has its one place where there is no more")
    func single() {
        var shares = Self.shares(1)
        #expect(shares.room(at: Self.start) == 1)
        #expect(Self.fill(&shares, "one") == 1)
        #expect(shares.room(at: Self.start) == 0)
        shares.leave("one", since: Self.start, at: Self.start)
        #expect(shares.taken == 0)
        #expect(Self.fill(&shares, "other") == 1)
    }

    @Test("as many are begun as find a place, whosever they are, while all are quick")
    func quick() {
        var shares = Self.shares()
        #expect(shares.room(at: Self.start) == 50)
        #expect(Self.fill(&shares, "quick", wants: 30) == 30)
        #expect(shares.room(at: Self.start) == 20)
        #expect(Self.fill(&shares, "quick", wants: 20) == 20)
        // It is waited for.
        #expect(shares.room(at: Self.start) == 0)
        for _ in 0..<10 { shares.leave("quick", since: Self.start, at: Self.start + .milliseconds(100)) }
        #expect(shares.room(at: Self.start + .milliseconds(100)) == 10)
    }

    @Test("one that gives no place back for a while is passed over, and so is one whose attempts take as long")
    func slow() {
        var shares = Self.shares()
        #expect(Self.fill(&shares, "slow") == 50)
        let later = Self.start + .seconds(1)
        #expect(shares.room(at: later - .milliseconds(1)) == 0)
        #expect(shares.room(at: later) == 25)
        #expect(Self.fill(&shares, "slow", at: later) == 0)
        #expect(Self.fill(&shares, "quick", wants: 25, at: later) == 25)
        #expect(shares.room(at: later) == 0)
        shares.leave("slow", since: Self.start, at: later)
        #expect(shares.room(at: later) == 1)
        #expect(Self.fill(&shares, "slow", at: later) == 0)
        // Another place is free, and it has one less: quick enough again, it is waited for until it holds its share.
        for _ in 0..<24 { shares.leave("slow", since: later, at: later + .milliseconds(10)) }
        #expect(shares.room(at: later + .milliseconds(10)) == 13)
        #expect(Self.fill(&shares, "slow", wants: 1, at: later) == 1)
    }
}
