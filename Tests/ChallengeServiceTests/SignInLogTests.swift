import Domain
import Foundation
import Storage
import SwiftProtobuf
import TestSupport
import Testing
import Wire

@Suite("The sign-in log")
struct SignInLogTests {
    private func log(_ bench: ChallengeBench, _ change: (inout ListSignIns) -> Void = { _ in }) async throws
        -> ListSignInsReply
    {
        var request = ListSignIns.with { $0.tenant = "demo" }
        change(&request)
        return try await bench.call(request)
    }

    /// Brings a request to its end, or near it, for this reason, and returns its id.
    private func arrange(_ reason: SignInReason, _ bench: ChallengeBench) async throws -> String {
        if let obstruction = Obstruction.allCases.first(where: { $0.reason == reason }) {
            return try await bench.begin(try await obstruction.arrange(bench)).id
        }
        let begun = try await bench.begin()
        switch reason {
        case .policyChanged:
            bench.tenants.change(ChallengeBench.demo) { policy, _ in policy.state = .disabled }
            _ = await bench.refusal { try await bench.approve(begun) }
        case .declined: try await bench.refuse(begun)
        case .reported: try await bench.refuse(begun, .report)
        case .wrongNumber: _ = try await bench.settle(bench.answer(begun.id, number: begun.wrongNumber))
        case .timeout: await bench.elapse(.seconds(60))
        case .notRedeemed:
            try await bench.approve(begun)
            await bench.elapse(.seconds(60))
        case .canceled: try await bench.cancel(begun)
        case .deviceRemoved: try await bench.revoke(.deviceRemoved, device: "d1")
        case .phoneSignInDisabled: try await bench.revoke(.phoneSignInDisabled, device: "d1")
        case .passwordChanged, .personRemoved: try await bench.revoke(reason)
        case .invalidCode:
            _ = await bench.refusal { try await bench.submit("000000", password: Neighbours.password, to: begun) }
        case .passwordMissing: _ = await bench.refusal { try await bench.submit(to: begun) }
        case .tooManyAttempts:
            bench.bus.inject(VerifyCode.self) { throw ServiceError(.tooManyAttempts, "too many") }
            _ = await bench.refusal { try await bench.submit(password: Neighbours.password, to: begun) }
        case .updateRequired:
            _ = await bench.refusal { try await bench.approve(begun) { $0.facts.osVersion = "1" } }
        case .userVerificationMissing:
            bench.tenants.change(ChallengeBench.demo) { _, settings in settings.profile = .nist80063b4 }
            _ = await bench.refusal { try await bench.approve(begun) { $0.userVerified = false } }
        case .unknownUser, .blocked, .outsidePolicy, .noDevice, .tooManyOpen:
            Issue.record("\(reason) has its obstruction")
        }
        return begun.id
    }

    @Test("every reason is in the log under its own name", arguments: SignInReason.allCases)
    func reasons(_ reason: SignInReason) async throws {
        let bench = try ChallengeBench()
        let id = try await arrange(reason, bench)
        let entry = try #require(try await log(bench).entries.first { $0.id == id })
        #expect(entry.reason == reason.rawValue)
    }

    @Test("a line says who, from where, for what, with which device and when")
    func line() async throws {
        let bench = try ChallengeBench()
        let begun = try await bench.begin("ALICE", .secondFactor)
        let openedAt = bench.now
        bench.clock.advance(.seconds(4))
        try await bench.approve(begun)
        let entry = try #require(try await log(bench).entries.first)
        #expect(entry.id == begun.id && entry.atMs == openedAt.milliseconds)
        #expect(entry.username == "ALICE" && entry.personID == "p1")
        #expect(entry.factor == "secondFactor" && entry.purpose == "secondFactor")
        #expect(entry.application == "Payroll" && entry.ipAddress == "203.0.113.7" && entry.userAgent == "Browser")
        #expect(entry.clientID == "payroll" && entry.requestID.count == 32)
        #expect(entry.status == "approved" && entry.method == "push" && entry.reason.isEmpty)
        #expect(entry.deviceID == "d1" && entry.deviceName == "Phone")
        #expect(entry.settledAtMs == bench.now.milliseconds)
        #expect(!entry.decoy && !entry.silenced)
    }

    @Test("a line of a code says whose it was")
    func lineOfCode() async throws {
        let bench = try ChallengeBench()
        try await bench.submit(to: bench.begin("alice", .secondFactor))
        let entry = try #require(try await log(bench).entries.first)
        #expect(entry.method == "code" && entry.deviceID == "d1" && entry.deviceName == "Phone")
    }

    @Test("neither number nor secret is in the log")
    func withoutSecrets() async throws {
        let bench = try ChallengeBench { $0.numberDigits = 6 }
        let begun = try await bench.begin()
        try await bench.approve(begun)
        let bytes = try await log(bench).serializedData()
        #expect(bytes.firstRange(of: Data(begun.number.utf8)) == nil)
        #expect(bytes.firstRange(of: Data(begun.reply.secret.utf8)) == nil)
    }

    @Test("an approval clears what was tried in vain before, and a redemption keeps the line clean")
    func cleared() async throws {
        let bench = try ChallengeBench { $0.wrongNumbersPerRequest = 2 }
        let begun = try await bench.begin()
        _ = try await bench.settle(bench.answer(begun.id, number: begun.wrongNumber))
        #expect(try await bench.line(begun.id)?.reason == .wrongNumber)
        try await bench.approve(begun)
        _ = try await bench.redeem(begun)
        let line = try #require(try await bench.line(begun.id))
        #expect(line.reason == nil && line.status == .redeemed && line.method == .push)
    }

    @Test("a decoy that a code settled and nobody redeemed says so")
    func decoyNotRedeemed() async throws {
        let bench = try ChallengeBench()
        let begun = try await bench.begin(try await Obstruction.pushMode.arrange(bench))
        try await bench.submit(password: Neighbours.password, to: begun)
        #expect(try await bench.line(begun.id)?.reason == nil)
        await bench.elapse(.seconds(60))
        let line = try #require(try await bench.line(begun.id))
        #expect(line.status == .expired)
        #expect(line.reason == .notRedeemed)
    }

    @Test("the log is filtered by user, in whatever case, by status and by time")
    func filters() async throws {
        let bench = try ChallengeBench()
        let first = try await bench.begin()
        try await bench.refuse(first)
        bench.clock.advance(.seconds(10))
        let second = try await bench.begin("carol")
        #expect(try await log(bench).entries.map(\.id) == [second.id, first.id])
        #expect(try await log(bench) { $0.username = "CAROL" }.entries.map(\.id) == [second.id])
        #expect(try await log(bench) { $0.status = "denied" }.entries.map(\.id) == [first.id])
        let moment = bench.now.milliseconds
        #expect(try await log(bench) { $0.fromMs = moment }.entries.map(\.id) == [second.id])
        #expect(try await log(bench) { $0.toMs = moment }.entries.map(\.id) == [first.id])
        #expect(await bench.refusal { try await log(bench) { $0.status = "maybe" } }?.code == .invalidValue)
    }

    @Test("pages follow one another without a gap or a repeat, also among lines of one moment")
    func pages() async throws {
        let bench = try ChallengeBench()
        var ids: Set<String> = []
        for number in 0..<25 {
            ids.insert(try await bench.begin("u\(number)").id)
            if number.isMultiple(of: 7) { bench.clock.advance(.milliseconds(1)) }
        }
        var seen: [String] = []
        var cursor = ""
        repeat {
            let at = cursor
            let page = try await log(bench) {
                $0.page.limit = 4
                $0.page.cursor = at
            }
            #expect(page.entries.count <= 4)
            seen += page.entries.map(\.id)
            cursor = page.next
        } while !cursor.isEmpty
        #expect(seen.count == 25 && Set(seen) == ids)
        #expect(await bench.refusal { try await log(bench) { $0.page.limit = 1001 } }?.code == .outOfRange)
        for cursor in ["x", "!!!", "AAAA"] {
            #expect(await bench.refusal { try await log(bench) { $0.page.cursor = cursor } }?.code == .malformed)
        }
    }
}
