import Domain
import Testing

@Suite("A challenge")
struct ChallengeMachineTests {
    private let begin = Timestamp(seconds: 1_000)
    private func after(_ seconds: Int) -> Timestamp { begin + .seconds(seconds) }

    private func machine(tries: Int = 1, decoy: Bool = false, redeemable: Bool = true) -> ChallengeMachine {
        ChallengeMachine(
            rules: .init(expiresAt: after(60), redeemWindow: redeemable ? .seconds(60) : nil, isDecoy: decoy),
            wrongNumbers: tries)
    }

    private func approve(
        _ digest: UInt8 = 1, right: Bool = true, allowed: Bool = true, held: ChallengeMachine.Obstacle? = nil
    )
        -> ChallengeMachine.Answer
    {
        .init(digest: [digest], decision: .approve, isAllowed: allowed, obstacle: held, numberMatches: right)
    }

    @Test("the right number approves, and the approval is redeemed once")
    func approvedAndRedeemed() {
        var challenge = machine()
        #expect(challenge.redeem(at: after(1)) == .notApproved)
        #expect(challenge.answer(approve(), at: after(5)) == .settled(.init(status: .approved)))
        #expect(challenge.state.method == .push)
        #expect(challenge.redeem(at: after(6)) == .redeemed)
        #expect(challenge.redeem(at: after(7)) == .alreadyRedeemed)
        #expect(challenge.status(at: after(5_000)) == .redeemed)
    }

    @Test("an identical retry of an answer gets the first reply in every later state")
    func identicalRetry() {
        var challenge = machine()
        let reply = ChallengeMachine.Reply(status: .approved)
        #expect(challenge.answer(approve(), at: after(5)) == .settled(reply))
        #expect(challenge.answer(approve(), at: after(6)) == .repeated(reply, at: after(5)))
        #expect(challenge.answer(approve(2), at: after(6)) == .alreadySettled)
        #expect(challenge.lapse(at: after(65)) == .unredeemed)
        #expect(challenge.answer(approve(), at: after(70)) == .repeated(reply, at: after(5)))
        #expect(challenge.answer(approve(2), at: after(70)) == .expired)
    }

    @Test("a wrong number ends it when no try is left, and its retry uses up none")
    func wrongNumbers() {
        var challenge = machine(tries: 2)
        let open = ChallengeMachine.Reply(status: .pending, reason: .wrongNumber)
        #expect(challenge.answer(approve(1, right: false), at: after(1)) == .tryUsed(open))
        #expect(challenge.answer(approve(1, right: false), at: after(2)) == .repeated(open, at: after(1)))
        #expect(challenge.state.triesLeft == 1)
        let denied = ChallengeMachine.Reply(status: .denied, reason: .wrongNumber)
        #expect(challenge.answer(approve(2, right: false), at: after(3)) == .settled(denied))
        #expect(challenge.answer(approve(3), at: after(4)) == .alreadySettled)
    }

    @Test("who may not answer is refused in every state, and uses up no try")
    func refusedFirst() {
        var challenge = machine()
        #expect(challenge.answer(approve(right: false, allowed: false), at: after(1)) == .refused)
        #expect(challenge.state.triesLeft == 1)
        #expect(challenge.answer(approve(2, allowed: false), at: after(90)) == .refused)
        var decoy = machine(decoy: true)
        #expect(decoy.answer(approve(), at: after(1)) == .refused)
    }

    @Test("an old phone may not approve but may decline and report")
    func obstacle() {
        var challenge = machine()
        #expect(challenge.answer(approve(held: .minimumVersion("8.0")), at: after(1)) == .held(.minimumVersion("8.0")))
        #expect(challenge.status(at: after(1)) == .pending)
        let report = ChallengeMachine.Answer(
            digest: [2], decision: .report, isAllowed: true, obstacle: .minimumVersion("8.0"))
        #expect(challenge.answer(report, at: after(2)) == .settled(.init(status: .denied, reason: .reported)))
    }

    @Test("expiry is a function of time: at its moment, not after it")
    func expiry() {
        var challenge = machine()
        #expect(challenge.status(at: after(59)) == .pending)
        #expect(challenge.status(at: after(60)) == .expired)
        #expect(challenge.answer(approve(), at: after(60)) == .expired)
        #expect(challenge.cancel(at: after(60)) == .expired)
        #expect(challenge.lapse(at: after(99)) == .unanswered)
        #expect(challenge.state.settledAt == after(60))
        #expect(challenge.lapse(at: after(99)) == .nothing)
    }

    @Test("an approval that is not redeemed in its window expires")
    func redeemWindow() {
        var challenge = machine()
        _ = challenge.answer(approve(), at: after(10))
        #expect(challenge.status(at: after(69)) == .approved)
        #expect(challenge.redeem(at: after(70)) == .expired)
        #expect(challenge.lapse(at: after(70)) == .unredeemed)
    }

    @Test("the approval of a device's own challenge neither expires nor can be redeemed")
    func ownChallenge() {
        var challenge = machine(redeemable: false)
        _ = challenge.answer(approve(), at: after(10))
        #expect(challenge.lapsesAt == nil)
        #expect(challenge.redeem(at: after(11)) == .notApproved)
        #expect(challenge.status(at: after(9_999)) == .approved)
    }

    @Test("canceling twice is one cancel; after another settlement it is refused")
    func cancel() {
        var challenge = machine()
        #expect(challenge.cancel(at: after(1)) == .canceled)
        #expect(challenge.cancel(at: after(2)) == .alreadyCanceled)
        #expect(challenge.answer(approve(), at: after(3)) == .alreadySettled)
        #expect(challenge.redeem(at: after(3)) == .notApproved)
        var approved = machine()
        _ = approved.answer(approve(), at: after(1))
        #expect(approved.cancel(at: after(2)) == .alreadySettled)
    }

    @Test("a code settles a decoy too, once, and the same code repeats the reply")
    func code() {
        var challenge = machine(decoy: true)
        #expect(challenge.considerCode(digest: [7], at: after(1)) == .open)
        #expect(challenge.acceptCode(digest: [7], at: after(1)) == .open)
        #expect(challenge.state.method == .code)
        #expect(challenge.acceptCode(digest: [7], at: after(2)) == .repeated)
        #expect(challenge.acceptCode(digest: [8], at: after(2)) == .alreadySettled)
        #expect(challenge.redeem(at: after(3)) == .redeemed)
        #expect(challenge.considerCode(digest: [7], at: after(500)) == .repeated)
        var late = machine()
        #expect(late.acceptCode(digest: [7], at: after(60)) == .expired)
    }

    @Test("blocking ends what could still be answered or redeemed")
    func revoke() {
        var pending = machine()
        let endedPending = pending.revoke(at: after(1))
        #expect(endedPending)
        #expect(pending.status(at: after(1)) == .canceled)
        var approved = machine()
        _ = approved.answer(approve(), at: after(1))
        let endedApproved = approved.revoke(at: after(2))
        #expect(endedApproved)
        #expect(approved.redeem(at: after(3)) == .expired)
        let endedAgain = approved.revoke(at: after(4))
        #expect(!endedAgain)
    }
}

@Suite("The request budget")
struct RequestBudgetTests {
    private let start = Timestamp(seconds: 100_000)
    private let rules = RequestBudget.Rules(missesMax: 5, window: .seconds(600), silence: .seconds(1_800))
    private func at(_ seconds: Int) -> Timestamp { start + .seconds(seconds) }

    @Test("five misses in the window silence the phone, four do not, and the silence ends")
    func silence() {
        var budget = RequestBudget()
        for second in 0..<4 { budget.record(.missed, at: at(second), rules: rules) }
        #expect(!budget.isSilent(at: at(4)))
        budget.record(.missed, at: at(4), rules: rules)
        #expect(budget.isSilent(at: at(4)))
        #expect(budget.isSilent(at: at(4 + 1_799)))
        #expect(!budget.isSilent(at: at(4 + 1_800)))
    }

    @Test("misses that left the window do not count")
    func window() {
        var budget = RequestBudget()
        for miss in 0..<20 { budget.record(.missed, at: at(miss * 200), rules: rules) }
        #expect(!budget.isSilent(at: at(4_000)))
    }

    @Test("an approval by push resets count and silence, not the raised risk")
    func reset() {
        var budget = RequestBudget()
        budget.record(.reported, at: at(0), rules: rules)
        #expect(budget.isSilent(at: at(1)))
        budget.record(.approvedByPush, at: at(2), rules: rules)
        #expect(!budget.isSilent(at: at(2)))
        #expect(budget.misses.isEmpty)
        #expect(budget.isRiskRaised(at: at(24 * 3_600 - 1)))
        #expect(!budget.isRiskRaised(at: at(24 * 3_600)))
    }
}

@Suite("The content that a phone shows")
struct ChallengeContentTests {
    @Test("is exact JSON, with null for what the policy hides and what JSON escapes escaped")
    func exactBytes() {
        let content = ChallengeContent(
            id: ChallengeID("abc"), tenant: TenantID("demo"), user: "a\"\\\nb", origin: .init(userAgent: "Ä"),
            issuedAt: Timestamp(seconds: 0), expiresAt: Timestamp(seconds: 60), numberDigits: 2)
        let expected =
            #"{"id":"abc","tenant":"demo","user":"a\"\\\nb","application":null,"location":null,"ipAddress":null,"#
            + #""userAgent":"Ä","issuedAt":"1970-01-01T00:00:00.000Z","expiresAt":"1970-01-01T00:01:00.000Z","numberDigits":2}"#
        #expect(String(decoding: content.json, as: UTF8.self) == expected)
    }
}
