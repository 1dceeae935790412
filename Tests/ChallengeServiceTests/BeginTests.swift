import Domain
import Foundation
import Messaging
import Storage
import SwiftProtobuf
import TestSupport
import Testing
import Wire

@testable import ChallengeService

@Suite("Beginning a request")
struct BeginTests {
    @Test("a request reaches the phone: the application gets id, secret and number, the phone the content")
    func begins() async throws {
        let bench = try ChallengeBench()
        let begun = try await bench.begin()
        #expect(begun.reply.createdAtMs == bench.now.milliseconds)
        #expect(begun.reply.expiresAtMs == (bench.now + .seconds(60)).milliseconds)
        #expect(begun.reply.methods == ["push", "code"])
        #expect(try await bench.status(begun) == "pending")
        let pending = try #require(try await bench.pending().first)
        #expect(pending.id == begun.id)
        #expect(pending.purpose == "signIn")
        #expect(pending.expiresAtMs == begun.reply.expiresAtMs)
        #expect(!pending.silenced)
        #expect(try await bench.line(begun.id)?.status == .pending)
    }

    @Test("the id has 128 random bits or more and the secret 256, and neither comes twice")
    func randomness() async throws {
        let bench = try ChallengeBench()
        var seen: Set<String> = []
        for _ in 0..<20 {
            let reply = try await bench.begin("nobody").reply
            #expect(reply.id.count >= 22)
            #expect(reply.secret.count == 43)
            #expect(seen.insert(reply.id).inserted && seen.insert(reply.secret).inserted)
        }
    }

    @Test("the secret is not in the database, in no form that opens the request")
    func secretAtRest() async throws {
        let bench = try ChallengeBench()
        let begun = try await bench.begin()
        #expect(try await bench.record(begun.id)?.secretDigest == Array(begun.secretDigest))
        let memo = try await bench.store.read { try $0.memo(RequestID(high: 7 << 12, low: 1)) }
        let kept = try #require(memo?.reply)
        #expect(kept.firstRange(of: Array(begun.reply.secret.utf8)) == nil)
    }

    @Test("the content is what the phone shows, and the person's name as it was created")
    func content() async throws {
        let bench = try ChallengeBench()
        let begun = try await bench.begin("ALICE")
        let content = try #require(try await bench.pending().first?.content)
        let members = try #require(try JSONSerialization.jsonObject(with: content) as? [String: Any])
        #expect(
            Set(members.keys) == [
                "id", "tenant", "user", "application", "location", "ipAddress", "userAgent", "issuedAt", "expiresAt",
                "numberDigits",
            ])
        #expect(members["id"] as? String == begun.id)
        #expect(members["tenant"] as? String == "demo")
        #expect(members["user"] as? String == "alice")
        #expect(members["application"] as? String == "Payroll")
        #expect(members["ipAddress"] as? String == "203.0.113.7")
        #expect(members["userAgent"] as? String == "Browser")
        #expect(members["location"] is NSNull)
        #expect(members["numberDigits"] as? Int == 2)
        #expect(members["expiresAt"] as? String == (bench.now + .seconds(60)).description)
    }

    @Test("what the policy hides is null on the phone, and still in the log")
    func hidden() async throws {
        let bench = try ChallengeBench()
        bench.tenants.change(ChallengeBench.demo) { policy, _ in
            policy.featureSettings.displayAppInformationRequiredState.state = .disabled
            policy.featureSettings.displayLocationInformationRequiredState.state = .disabled
        }
        let begun = try await bench.begin()
        let text = String(decoding: try #require(try await bench.pending().first?.content), as: UTF8.self)
        #expect(text.contains(#""application":null,"location":null,"ipAddress":null"#))
        let line = try #require(try await bench.line(begun.id))
        #expect(line.application == "Payroll" && line.ipAddress == "203.0.113.7")
    }

    @Test("the number is in no content, no listing and no message to a phone", arguments: 2...6)
    func numberStays(_ digits: Int) async throws {
        let bench = try ChallengeBench { $0.numberDigits = digits }
        let begun = try await bench.begin()
        #expect(begun.number.count == digits)
        await bench.deliver()
        let pending = try #require(try await bench.pending().first)
        let notify = try #require(bench.neighbours.notified.first)
        #expect(notify.content == pending.content)
        let members = try #require(try JSONSerialization.jsonObject(with: pending.content) as? [String: Any])
        #expect(members["number"] == nil)
        #expect(!members.values.contains { "\($0)" == begun.number })
        // Of six digits one would not be there by accident.
        if digits == 6 {
            for bytes in [try pending.serializedData(), try notify.serializedData()] {
                #expect(bytes.firstRange(of: Data(begun.number.utf8)) == nil)
            }
        }
    }

    @Test("the profile of NIST SP 800-63B-4 has numbers of six digits")
    func nist() async throws {
        let bench = try ChallengeBench { $0.profile = .nist80063b4 }
        #expect(try await bench.begin().number.count == 6)
    }

    @Test("numbers of every length begin with no 0 and are spread evenly", arguments: 2...6)
    func numbers(_ digits: Int) {
        let bytes = SeededBytes(seed: UInt64(digits))
        var first = [Int](repeating: 0, count: 10)
        for _ in 0..<9_000 {
            let number = MatchingNumber.random(digits: digits) { bytes.next($0) }
            #expect(number.count == digits)
            first[number.utf8.first.map { Int($0) - 0x30 } ?? 0] += 1
        }
        #expect(first[0] == 0)
        // Nine standard deviations around 1,000.
        #expect(first.dropFirst().allSatisfy { (730...1270).contains($0) })
    }

    @Test("a passwordless request reaches the devices with phone sign-in, a second factor every active one")
    func targets() async throws {
        let bench = try ChallengeBench()
        let devices = [
            Neighbours.device("d1", of: "p1"), Neighbours.device("d2", of: "p1", phoneSignIn: false),
            Neighbours.device("d3", of: "p1", state: .awaitingConfirmation),
        ]
        bench.neighbours.add("alice", id: "p1", devices: devices)
        let signIn = try await bench.begin()
        bench.clock.advance(.milliseconds(1))
        let second = try await bench.begin("alice", .secondFactor)
        #expect(try await bench.pending("d1").map(\.id) == [signIn.id, second.id])
        #expect(try await bench.pending("d2").map(\.id) == [second.id])
        #expect(try await bench.pending("d2").map(\.purpose) == ["secondFactor"])
        #expect(try await bench.pending("d3").isEmpty)
    }

    @Test("requests of one person are listed separately and never overwritten")
    func several() async throws {
        let bench = try ChallengeBench()
        let first = try await bench.begin()
        bench.clock.advance(.milliseconds(1))
        let second = try await bench.begin()
        #expect(try await bench.pending().map(\.id) == [first.id, second.id])
        try await bench.approve(second)
        #expect(try await bench.status(first) == "pending")
    }

    @Test("the same idempotency key gets the same request, secret and number, and makes no second one")
    func repeated() async throws {
        let bench = try ChallengeBench()
        let key = bench.key("k")
        let first = try await bench.begin(id: key)
        bench.clock.advance(.seconds(5))
        #expect(try await bench.begin(id: key).reply == first.reply)
        #expect(try await bench.pending().count == 1)
        #expect(try await bench.outbox().count == 1)
        #expect(
            await bench.refusal { try await bench.begin("bob", id: key) }?.code == .idempotencyMismatch)
        bench.clock.advance(.seconds(601))
        #expect(await bench.refusal { try await bench.begin(id: key) }?.code == .idempotencyKeyUsed)
    }

    @Test("a browser asks the same from another address and under its tenant's later name, an application does not")
    func repeatedFromElsewhere() async throws {
        let bench = try ChallengeBench()
        func elsewhere(_ request: inout BeginChallenge) {
            request.context.ipAddress = "198.51.100.9"
            request.application = "Renamed"
        }
        func ofBrowser(_ request: inout BeginChallenge) {
            request.owner = .with { $0.browserDigest = Data(repeating: 7, count: 32) }
        }
        let browser = bench.key("browser")
        let first = try await bench.begin(id: browser) { ofBrowser(&$0) }
        let again = try await bench.begin(id: browser) {
            ofBrowser(&$0)
            elsewhere(&$0)
        }
        #expect(again.reply == first.reply)
        #expect(try await bench.line(first.id)?.ipAddress == "203.0.113.7")
        let application = bench.key("application")
        _ = try await bench.begin(id: application)
        let refusal = await bench.refusal { try await bench.begin(id: application) { elsewhere(&$0) } }
        #expect(refusal?.code == .idempotencyMismatch)
    }

    @Test(
        "what is not a request is refused by its own code",
        arguments: [
            ("", "passwordless", ErrorCode.invalidUsername),
            (String(repeating: "a", count: 257), "passwordless", .invalidUsername),
            ("alice", "three", .malformed),
        ])
    func refused(_ username: String, _ factor: String, _ code: ErrorCode) async throws {
        let bench = try ChallengeBench()
        let error = await bench.refusal { try await bench.begin(username) { $0.factor = factor } }
        #expect(error?.code == code)
    }

    @Test("a tenant that does not exist is not found")
    func unknownTenant() async throws {
        let bench = try ChallengeBench()
        #expect(await bench.refusal { try await bench.begin(tenant: TenantID("nowhere")) }?.code == .notFound)
    }

    @Test("nothing begins while registration does not answer")
    func withoutRegistration() async throws {
        let bench = try ChallengeBench()
        bench.bus.remove(.registration)
        #expect(await bench.refusal { try await bench.begin() }?.code == .unavailable)
        #expect(try await bench.outbox().isEmpty)
    }
}
