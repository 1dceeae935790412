import Testing

@testable import Domain

@Suite("A clock that was ahead and is set back")
struct ClockSetBackTests {
    private let now = Timestamp(seconds: 1_790_000_000)
    private let year = Duration.seconds(365 * 86_400)

    @Test("a pause from the future is over, and the next failure gives the next pause", arguments: [1, 2, 5])
    func pause(pauses: Int) {
        var limiter = AttemptLimiter(rules: .passwords)
        var time = now + year
        for _ in 0..<9 { #expect(limiter.admit(at: time) == .admitted) }
        for _ in 0..<pauses {
            #expect(limiter.admit(at: time) == .admitted)
            time = limiter.nextAllowedAt ?? time
        }
        #expect(limiter.admit(at: now) == .admitted)
        #expect(limiter.admit(at: now) == .wait(.seconds(60 << pauses)))
        #expect(limiter.admit(at: now + .seconds(60 << pauses)) == .admitted)
    }

    @Test("a pause of a right clock lasts to its end")
    func rightPause() {
        var limiter = AttemptLimiter(rules: .passwords)
        for _ in 0..<10 { #expect(limiter.admit(at: now) == .admitted) }
        #expect(limiter.admit(at: now) == .wait(.seconds(60)))
        #expect(limiter.admit(at: now + .milliseconds(59_999)) == .wait(.milliseconds(1)))
    }

    @Test("a pause that a process gave whose clock is a little ahead is one, and ends", arguments: [1, 30, 60])
    func apart(seconds: Int) {
        var limiter = AttemptLimiter(rules: .passwords)
        let ahead = now + .seconds(seconds)
        for _ in 0..<10 { #expect(limiter.admit(at: ahead) == .admitted) }
        #expect(limiter.admit(at: now) == .wait(.seconds(60 + seconds)))
        #expect(limiter.admit(at: now + .seconds(60 + seconds)) == .admitted)
    }

    @Test("a raised risk that a process saw whose clock is a little ahead is one")
    func riskApart() {
        var budget = RequestBudget()
        budget.record(.reported, at: now + .seconds(1), rules: .init(TenantSettings()))
        #expect(budget.isRiskRaised(at: now) && budget.isSilent(at: now))
    }

    @Test("failures from the future age like those of now")
    func failures() {
        var limiter = AttemptLimiter(rules: .passwords)
        for _ in 0..<8 { #expect(limiter.admit(at: now + year) == .admitted) }
        #expect(limiter.admit(at: now) == .admitted)
        #expect(limiter.failures == Array(repeating: now, count: 9))
        #expect(limiter.admit(at: now + .seconds(600)) == .admitted)
        #expect(limiter.failures.count == 1)
    }

    @Test("a silence and a raised risk from the future are over, and new ones last as long as ever")
    func budget() {
        let rules = RequestBudget.Rules(TenantSettings())
        var budget = RequestBudget()
        budget.record(.reported, at: now + year, rules: rules)
        #expect(!budget.isSilent(at: now) && !budget.isRiskRaised(at: now))
        budget.record(.reported, at: now, rules: rules)
        #expect(budget.silentUntil == now + rules.silence)
        #expect(budget.riskRaisedUntil == now + RequestBudget.raisedRisk)
        #expect(budget.isSilent(at: now) && budget.isRiskRaised(at: now))
    }

    @Test("the longest silence that a tenant may choose is one")
    func longestSilence() {
        var settings = TenantSettings()
        settings.silenceMinutes = TenantSettings.range(of: \.silenceMinutes).upperBound
        var budget = RequestBudget()
        budget.record(.reported, at: now, rules: .init(settings))
        #expect(budget.isSilent(at: now))
    }

    @Test("requests that were missed in the future are not missed now")
    func misses() {
        let rules = RequestBudget.Rules(TenantSettings())
        var budget = RequestBudget()
        for _ in 1..<rules.missesMax { budget.record(.missed, at: now + year, rules: rules) }
        budget.record(.missed, at: now, rules: rules)
        #expect(budget.misses == [now] && !budget.isSilent(at: now))
    }

    @Test("an open request of the future takes nobody's place")
    func openRequest() {
        let longest = Duration.seconds(TenantSettings.range(of: \.requestLifetimeSeconds).upperBound)
        func request(expiresAt: Timestamp) -> ChallengeMachine {
            ChallengeMachine(
                rules: .init(expiresAt: expiresAt, redeemWindow: .seconds(60), isDecoy: false), wrongNumbers: 1)
        }
        #expect(request(expiresAt: now + longest + ClockSkew.tolerated).takesPlace(at: now))
        #expect(!request(expiresAt: now + longest + ClockSkew.tolerated + .milliseconds(1)).takesPlace(at: now))
        #expect(!request(expiresAt: now).takesPlace(at: now))
    }
}
