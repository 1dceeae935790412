import Domain
import Foundation
import ServiceKit
import Storage
import SwiftProtobuf
import TestSupport
import Testing
import Wire

@testable import ChallengeService

@Suite("Redemption")
struct RedeemTests {
    private func approved(_ bench: ChallengeBench) async throws -> Begun {
        let begun = try await bench.begin()
        try await bench.approve(begun)
        return begun
    }

    @Test("an approval is redeemed once, and says who signed in and how")
    func once() async throws {
        let bench = try ChallengeBench()
        let begun = try await bench.begin()
        bench.clock.advance(.seconds(7))
        try await bench.approve(begun)
        let settledAt = bench.now
        bench.clock.advance(.seconds(3))
        let reply = try await bench.redeem(begun)
        #expect(reply.personID == "p1" && reply.username == "alice" && reply.displayName == "Alice")
        #expect(reply.method == "push" && reply.amr == ["swk", "user"])
        #expect(!reply.acr.isEmpty && !reply.acr.contains("phr"))
        #expect(reply.authTimeMs == settledAt.milliseconds)
        #expect(await bench.refusal { try await bench.redeem(begun) }?.code == .alreadyRedeemed)
        #expect(try await bench.status(begun) == "redeemed")
        await bench.elapse(.seconds(3600))
        #expect(try await bench.status(begun) == "redeemed")
    }

    @Test("what is pending, denied or canceled is not approved, what expired is expired")
    func notApproved() async throws {
        let bench = try ChallengeBench()
        let (denied, canceled, expired) = (try await bench.begin(), try await bench.begin(), try await bench.begin())
        #expect(await bench.refusal { try await bench.redeem(denied) }?.code == .notApproved)
        try await bench.refuse(denied)
        #expect(await bench.refusal { try await bench.redeem(denied) }?.code == .notApproved)
        try await bench.cancel(canceled)
        #expect(await bench.refusal { try await bench.redeem(canceled) }?.code == .notApproved)
        bench.clock.advance(.seconds(60))
        #expect(await bench.refusal { try await bench.redeem(expired) }?.code == .expired)
        await bench.service.meetDeadlines()
        #expect(await bench.refusal { try await bench.redeem(expired) }?.code == .expired)
    }

    @Test("an approval that is not redeemed in its window expires", arguments: [10, 60, 300])
    func window(_ seconds: Int) async throws {
        let bench = try ChallengeBench { $0.redeemWindowSeconds = seconds }
        let (inTime, late) = (try await approved(bench), try await approved(bench))
        bench.clock.advance(.milliseconds(seconds * 1000 - 1))
        _ = try await bench.redeem(inTime)
        bench.clock.advance(.milliseconds(1))
        #expect(try await bench.status(late) == "expired")
        #expect(await bench.refusal { try await bench.redeem(late) }?.code == .expired)
        await bench.service.meetDeadlines()
        #expect(try await bench.line(late.id)?.reason == .notRedeemed)
        #expect(try await bench.line(late.id)?.status == .expired)
    }

    @Test("the window begins with the approval, not with the request")
    func windowStart() async throws {
        let bench = try ChallengeBench()
        let begun = try await bench.begin()
        bench.clock.advance(.seconds(59))
        try await bench.approve(begun)
        bench.clock.advance(.seconds(59))
        #expect(try await bench.redeem(begun).personID == "p1")
    }

    @Test("a repeat under the same idempotency key gets the first reply for ten minutes")
    func repeated() async throws {
        let bench = try ChallengeBench()
        let begun = try await approved(bench)
        let key = bench.key("redeem")
        let first = try await bench.redeem(begun, id: key)
        bench.clock.advance(.seconds(600))
        #expect(try await bench.redeem(begun, id: key) == first)
        bench.clock.advance(.seconds(1))
        #expect(await bench.refusal { try await bench.redeem(begun, id: key) }?.code == .idempotencyKeyUsed)
    }

    @Test("how long a repeat waits does not make it another request")
    func repeatedWait() async throws {
        let bench = try ChallengeBench()
        let begun = try await approved(bench)
        let first = try await bench.redeem(begun, waitMs: 25_000, id: bench.key("redeem"))
        #expect(try await bench.redeem(begun, id: bench.key("redeem")) == first)
    }

    @Test("the same key with another body is a mismatch, and another key is a second redemption")
    func mismatch() async throws {
        let bench = try ChallengeBench()
        let (begun, other) = (try await approved(bench), try await approved(bench))
        _ = try await bench.redeem(begun, id: bench.key("redeem"))
        #expect(
            await bench.refusal { try await bench.redeem(other, id: bench.key("redeem")) }?.code
                == .idempotencyMismatch)
        #expect(
            await bench.refusal { try await bench.redeem(begun, id: bench.key("another")) }?.code == .alreadyRedeemed)
        #expect(try await bench.redeem(other).personID == "p1")
    }

    @Test("a refused redemption leaves its key free: the same key redeems once it is approved")
    func refusedKey() async throws {
        let bench = try ChallengeBench()
        let begun = try await bench.begin()
        #expect(await bench.refusal { try await bench.redeem(begun, id: bench.key("k")) }?.code == .notApproved)
        try await bench.approve(begun)
        #expect(try await bench.redeem(begun, id: bench.key("k")).personID == "p1")
    }

    @Test("whoever does not hold the request is told that there is none, and uses nothing up")
    func strangers() async throws {
        let bench = try ChallengeBench()
        let begun = try await approved(bench)
        var wrongSecret = begun
        wrongSecret.secretDigest = Data(repeating: 9, count: 32)
        var noSecret = begun
        noSecret.secretDigest = Data()
        var otherClient = begun
        otherClient.owner.clientID = "mail"
        var nobody = begun
        nobody.owner = Ownership()
        var browser = begun
        browser.owner = .with { $0.browserDigest = Data(repeating: 1, count: 32) }
        for stranger in [wrongSecret, noSecret, otherClient, nobody, browser] {
            for error in [
                await bench.refusal { try await bench.redeem(stranger) },
                await bench.refusal { try await bench.outcome(stranger) },
                await bench.refusal { try await bench.cancel(stranger) },
                await bench.refusal { try await bench.submit(to: stranger) },
            ] {
                #expect(error == ServiceError(.notFound, "no such sign-in"))
            }
        }
        #expect(bench.neighbours.verified.isEmpty)
        #expect(try await bench.redeem(begun).personID == "p1")
    }

    @Test("a request of a browser needs its cookie, whatever client asks")
    func browser() async throws {
        let bench = try ChallengeBench()
        let begun = try await bench.begin {
            $0.owner = .with { $0.browserDigest = Data(repeating: 5, count: 32) }
        }
        try await bench.approve(begun)
        var client = begun
        client.owner = ChallengeBench.client
        var otherBrowser = begun
        otherBrowser.owner.browserDigest = Data(repeating: 6, count: 32)
        for stranger in [client, otherBrowser] {
            #expect(await bench.refusal { try await bench.redeem(stranger) }?.code == .notFound)
        }
        #expect(try await bench.redeem(begun).personID == "p1")
    }

    @Test("a redemption that waits completes with the approval, and says so when there is none")
    func waits() async throws {
        let bench = try ChallengeBench()
        let (begun, silent) = (try await bench.begin(), try await bench.begin())
        let wait = Task { try await bench.redeem(begun, waitMs: 25_000) }
        while bench.service.outcomes.watchers == 0 { await Task.yield() }
        try await bench.approve(begun)
        #expect(try await wait.value.personID == "p1")

        let end = bench.now + .seconds(20)
        let vain = Task { await bench.refusal { try await bench.redeem(silent, waitMs: 20_000) } }
        while bench.service.deadlines.next != end { await Task.yield() }
        await bench.elapse(.seconds(20))
        #expect(await vain.value?.code == .notApproved)
    }

    @Test("who waits for the outcome of an approved request sees its redemption")
    func seen() async throws {
        let bench = try ChallengeBench()
        let begun = try await approved(bench)
        _ = try await bench.redeem(begun)
        #expect(try await bench.outcome(begun, waitMs: 25_000).status == "redeemed")
    }

    @Test("blocking a person ends an approval that was not redeemed yet")
    func blocked() async throws {
        let bench = try ChallengeBench()
        let begun = try await approved(bench)
        try await bench.revoke()
        #expect(await bench.refusal { try await bench.redeem(begun) }?.code == .expired)
        #expect(try await bench.line(begun.id)?.reason == .blocked)
    }
}
