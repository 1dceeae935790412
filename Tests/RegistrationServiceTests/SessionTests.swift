import Domain
import Foundation
import Proofs
import RegistrationService
import Secrets
import Storage
import StorageSQLite
import SwiftProtobuf
import TestSupport
import Testing
import Wire

@Suite("Passwords, passes and sessions")
struct SessionTests {
    let fixture: Fixture
    init() throws { fixture = try Fixture() }

    @Test("a right password opens a session when there is no device")
    func password() async throws {
        try await fixture.person("Alice")
        let reply = try await fixture.call(fixture.login("aLICE"))
        #expect(!reply.needsSecondFactor)
        let session = try await fixture.session(reply.sessionToken)
        #expect(session.person.username == "Alice")
        #expect(!session.byPass)
    }

    @Test("a right password with an active device needs a second factor and opens nothing")
    func secondFactor() async throws {
        let alice = try await fixture.person("alice")
        _ = try await fixture.device(alice)
        let reply = try await fixture.call(fixture.login("alice"))
        #expect(reply.needsSecondFactor)
        #expect(reply.sessionToken.isEmpty)
    }

    @Test("a password that is changed while it is checked opens nothing that lasts")
    func changedMeanwhile() async throws {
        for round in 0..<10 {
            let alice = try await fixture.person("alice\(round)")
            let tokens = try await withThrowingTaskGroup(of: String?.self) { group in
                for _ in 0..<2 {
                    group.addTask { try? await fixture.call(fixture.login("alice\(round)")).sessionToken }
                }
                let change = ChangeUser.with {
                    ($0.tenant, $0.personID, $0.password) = ("demo", alice.id, Data("another one".utf8))
                }
                // Every core may hash already; the administrator tries again.
                while await fixture.refusal(change) == .overloaded { await Task.yield() }
                var opened: [String] = []
                for try await token in group { if let token { opened.append(token) } }
                return opened
            }
            for token in tokens {
                await #expect(throws: ServiceError.self) { try await fixture.session(token) }
            }
            #expect(await fixture.refusal(fixture.login("alice\(round)")) == .invalidCredentials)
        }
    }

    @Test("wrong credentials are one error, whoever is named")
    func wrong() async throws {
        try await fixture.person("alice")
        #expect(await fixture.refusal(fixture.login("alice", "wrong")) == .invalidCredentials)
        #expect(await fixture.refusal(fixture.login("nobody", "wrong")) == .invalidCredentials)
        #expect(await fixture.refusal(fixture.passLogin("alice", "ABCDEFGH")) == .invalidCredentials)
    }

    @Test(
        "ten failures in ten minutes pause a name, existing or not, and each further one doubles the pause",
        arguments: ["alice", "nobody"])
    func limit(name: String) async throws {
        try await fixture.person("alice")
        for _ in 0..<10 { #expect(await fixture.refusal(fixture.login(name, "wrong")) == .invalidCredentials) }
        for minutes in [1, 2, 4] {
            do {
                _ = try await fixture.call(fixture.login(name.uppercased()))
                Issue.record("let through")
            } catch {
                #expect(error.code == .tooManyAttempts)
                #expect(error.retryAfter == .seconds(60 * minutes))
            }
            fixture.clock.advance(.seconds(60 * minutes))
            #expect(await fixture.refusal(fixture.login(name, "wrong")) == .invalidCredentials)
        }
    }

    @Test("many guesses at once are not more than ten")
    func sideBySide() async throws {
        try await fixture.person("alice")
        let fixture = fixture
        let judged = await withTaskGroup(of: Bool.self) { group in
            for _ in 0..<40 {
                group.addTask { await fixture.refusal(fixture.login("alice", "wrong")) == .invalidCredentials }
            }
            return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
        }
        #expect(judged <= 10)
    }

    @Test("an attempt whose caller gave up before it was judged does not count")
    func givenUp() async throws {
        try await fixture.person("alice")
        let fixture = fixture
        func failures(_ name: String) async throws -> Int {
            try await fixture.store.read {
                try $0.attempts(FoldedUsername(name), tenant: Fixture.demo, rules: .passwords).failures.count
            }
        }
        // One hash at a time, and the one of nobody's at full cost, so that alice's waits for its turn.
        let slow = Fixture.service(
            fixture.store, fixture.bus, fixture.tenants, fixture.sealer, fixture.clock,
            PasswordHasher(concurrent: 1, waitingMax: 10))
        fixture.bus.add(slow.routes)
        async let ahead = fixture.refusal(fixture.login("nobody"))
        async let next = fixture.refusal(fixture.login("nobody"))
        while try await failures("nobody") < 2 { await Task.yield() }
        let attempt = Task { await fixture.refusal(fixture.login("alice")) }
        while try await failures("alice") == 0 { await Task.yield() }
        attempt.cancel()
        #expect(await attempt.value == .overloaded)
        #expect(try await failures("alice") == 0)
        _ = await (ahead, next)
    }

    @Test("a pass opens a session once, and says so")
    func pass() async throws {
        let alice = try await fixture.person("alice")
        _ = try await fixture.device(alice)
        let issued = try await fixture.issue(alice)
        #expect(issued.pass.count == 8)
        let reply = try await fixture.call(fixture.passLogin("alice", issued.pass.lowercased()))
        #expect(try await fixture.session(reply.sessionToken).byPass)
        #expect(await fixture.refusal(fixture.passLogin("alice", issued.pass)) == .invalidCredentials)
    }

    @Test("a pass may be usable more than once, and ends with its time")
    func passLifetime() async throws {
        let alice = try await fixture.person("alice")
        let issued = try await fixture.issue(alice, once: false)
        for _ in 0..<2 { _ = try await fixture.call(fixture.passLogin("alice", issued.pass)) }
        fixture.clock.advance(.seconds(3600))
        #expect(await fixture.refusal(fixture.passLogin("alice", issued.pass)) == .invalidCredentials)
    }

    @Test("a pass that is out is told without the pass; withdrawn it opens nothing, and what it has opened stays")
    func passWithdrawn() async throws {
        let alice = try await fixture.person("alice")
        let withdraw = WithdrawPass.with {
            ($0.tenant, $0.personID) = ("demo", alice.id)
            $0.actor = Wire.Actor.with { ($0.kind, $0.name) = ("person", "Root") }
        }
        // Harmless where none is out.
        _ = try await fixture.call(withdraw)
        let issued = try await fixture.issue(alice, once: false)
        let token = try await fixture.call(fixture.passLogin("alice", issued.pass)).sessionToken
        let told = try await passState(of: alice)
        #expect(told.outstanding && told.id == issued.id && told.expiresAtMs == issued.expiresAtMs && !told.usableOnce)
        #expect(told.issuedAtMs == fixture.clock.now.milliseconds)
        let text = try told.jsonString()
        #expect(!text.contains(issued.pass))
        _ = try await fixture.call(withdraw)
        let after = try await passState(of: alice)
        #expect(after == ReadPassReply())
        #expect(await fixture.refusal(fixture.passLogin("alice", issued.pass)) == .invalidCredentials)
        _ = try await fixture.session(token)

        let entries = try await fixture.call(
            ListDirectoryAudit.with { ($0.tenant, $0.filter.action) = ("demo", "pass") }
        ).entries
        #expect(entries.map(\.action) == ["pass.withdraw", "pass.issue"])
        #expect(entries.map(\.target) == [alice.id, alice.id] && entries.first?.actor.name == "Root")
        #expect(entries.first?.beforeJson == entries.last?.afterJson && entries.first?.afterJson == "")
    }

    @Test("a pass that was used up, or has run out, is not out any more, and nobody of another tenant has one to see")
    func passOver() async throws {
        let alice = try await fixture.person("alice")
        let issued = try await fixture.issue(alice)
        var states = [try await passState(of: alice)]
        let foreign = ReadPass.with { ($0.tenant, $0.personID) = ("other", alice.id) }
        #expect(await fixture.refusal(foreign) == .notFound)
        _ = try await fixture.call(fixture.passLogin("alice", issued.pass))
        states.append(try await passState(of: alice))
        _ = try await fixture.issue(alice)
        fixture.clock.advance(.seconds(3600))
        states.append(try await passState(of: alice))
        #expect(states.map(\.outstanding) == [true, false, false] && states.map(\.usableOnce) == [true, false, false])
    }

    private func passState(of person: PersonRecord) async throws -> ReadPassReply {
        try await fixture.call(ReadPass.with { ($0.tenant, $0.personID) = ("demo", person.id) })
    }

    @Test("a single-use pass that is shown by many at once opens one session")
    func passRace() async throws {
        let alice = try await fixture.person("alice")
        let fixture = fixture
        for _ in 0..<20 {
            let pass = try await fixture.issue(alice).pass
            let opened = await withTaskGroup(of: Bool.self) { group in
                for _ in 0..<2 { group.addTask { await fixture.refusal(fixture.passLogin("alice", pass)) == nil } }
                return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
            }
            #expect(opened == 1)
            fixture.clock.advance(.seconds(1200))
        }
    }

    @Test("a session ends after 30 minutes without use, and after 12 hours whatever its use")
    func lifetime() async throws {
        try await fixture.person("alice")
        let idle = try await fixture.call(fixture.login("alice")).sessionToken
        fixture.clock.advance(.seconds(30 * 60))
        await #expect(throws: ServiceError.self) { try await fixture.session(idle) }

        let used = try await fixture.call(fixture.login("alice")).sessionToken
        for _ in 0..<35 {
            fixture.clock.advance(.seconds(20 * 60))
            _ = try await fixture.session(used)
        }
        fixture.clock.advance(.seconds(20 * 60))
        await #expect(throws: ServiceError.self) { try await fixture.session(used) }
    }

    @Test("a block ends sessions, refuses new ones and cancels requests")
    func block() async throws {
        let alice = try await fixture.person("alice")
        let token = try await fixture.call(fixture.login("alice")).sessionToken
        _ = try await fixture.call(
            SetBlocked.with {
                $0.tenant = "demo"
                $0.personID = alice.id
                $0.blocked = true
            })
        await #expect(throws: ServiceError.self) { try await fixture.session(token) }
        #expect(await fixture.refusal(fixture.login("alice")) == .invalidCredentials)
        #expect(fixture.challenge.canceled.map(\.personID) == [alice.id])
    }

    @Test("a challenge opens one session")
    func openOnce() async throws {
        let alice = try await fixture.person("alice")
        let request = OpenSession.with {
            $0.tenant = "demo"
            $0.personID = alice.id
            $0.challengeID = "challenge"
        }
        _ = try await fixture.session(fixture.call(request).sessionToken)
        #expect(await fixture.refusal(request) == .alreadyRedeemed)
    }

    @Test("a sign-in that was not theirs ends the person's other sessions, and opens none any more")
    func endOthers() async throws {
        let alice = try await fixture.person("alice")
        try await fixture.person("bob")
        let kept = try await fixture.call(fixture.login("alice")).sessionToken
        let stranger = try await fixture.call(fixture.login("alice")).sessionToken
        let bobs = try await fixture.call(fixture.login("bob")).sessionToken
        let end = EndOtherSessions.with {
            $0.tenant = "demo"
            $0.personID = alice.id
            $0.tokenDigest = Data(sha256(Array(kept.utf8)))
            $0.challengeID = "challenge"
        }
        // Said twice, it is the same.
        for _ in 0..<2 { _ = try await fixture.call(end) }
        await #expect(throws: ServiceError.self) { try await fixture.session(stranger) }
        for token in [kept, bobs] { _ = try await fixture.session(token) }
        let entries = try await endings()
        #expect(entries.map(\.actor.kind) == ["person", "person"])
        let ended = [0, 1].map { #"{"activations":0,"sessions":\#($0),"username":"alice"}"# }
        #expect(entries.map(\.afterJson) == ended)
        // The stranger had redeemed it, and its session was not open yet.
        let open = OpenSession.with { ($0.tenant, $0.personID, $0.challengeID) = ("demo", alice.id, "challenge") }
        #expect(await fixture.refusal(open) == .alreadyRedeemed)
    }

    @Test("a first phone ends what a password alone has opened elsewhere: sessions, and phones that are added there")
    func firstPhone() async throws {
        let alice = try await fixture.person("alice")
        try await fixture.person("bob")
        let tokens = [
            try await fixture.call(fixture.login("alice")).sessionToken,
            try await fixture.call(fixture.login("alice")).sessionToken,
            try await fixture.call(fixture.login("bob")).sessionToken,
        ]
        let (own, stranger) = (try await fixture.session(tokens[0]), try await fixture.session(tokens[1]))
        let hers = try await fixture.activation(alice, session: own)
        let ticket = try await fixture.activation(alice, session: stranger).ticket
        let device = try await fixture.device(alice, session: own)
        await #expect(throws: ServiceError.self) { try await fixture.session(tokens[1]) }
        let late = try await fixture.registration(ticket, SoftwareDeviceSigner())
        #expect(await fixture.refusal(late) != nil)
        for token in [tokens[0], tokens[2]] { _ = try await fixture.session(token) }
        #expect(try await fixture.state(hers, of: alice).state == "waiting")
        #expect(try await fixture.read(device).device.state == "active")
        let entries = try await endings()
        #expect(entries.map(\.actor.kind) == ["device"] && entries.map(\.actor.id) == [device.id])
        #expect(entries.map(\.target) == [alice.id])
        #expect(entries.map(\.afterJson) == [#"{"activations":1,"sessions":1,"username":"alice"}"#])
        // A session that the phone has confirmed stays when another phone comes.
        let confirmed = try await fixture.call(
            OpenSession.with { ($0.tenant, $0.personID, $0.challengeID) = ("demo", alice.id, "challenge") })
        _ = try await fixture.device(alice, session: own)
        _ = try await fixture.session(confirmed.sessionToken)
        // Nor is there word of what did not end: of bob's first phone, where there was no other session.
        let bobs = try await fixture.session(tokens[2])
        _ = try await fixture.device(bobs.person, session: bobs)
        let later = try await endings()
        #expect(later == entries)
    }

    /// What the audit log says of sessions that ended elsewhere, newest first.
    private func endings() async throws -> [AuditEntry] {
        try await fixture.call(
            ListDirectoryAudit.with { ($0.tenant, $0.filter.action) = ("demo", "session.end-others") }
        ).entries
    }

    @Test("the repeat of a session's start gets the same session")
    func repeated() async throws {
        try await fixture.person("alice")
        let id = RequestID.make(at: fixture.clock.now)
        let first = try await fixture.call(fixture.login("alice"), id: id)
        #expect(try await fixture.call(fixture.login("alice"), id: id) == first)
    }

    @Test("a person's choice of the default method is kept, and in the audit log once")
    func defaultMethod() async throws {
        let alice = try await fixture.person("alice")
        func chosen() async throws -> String {
            try await fixture.call(ReadOwnMethods.with { ($0.tenant, $0.personID) = ("demo", alice.id) }).defaultMethod
        }
        func choose(_ method: String) -> ChooseDefaultMethod {
            .with { ($0.tenant, $0.personID, $0.method) = ("demo", alice.id, method) }
        }
        #expect(try await chosen() == "")
        for method in ["code", "code", "push"] {
            _ = try await fixture.call(choose(method))
            #expect(try await chosen() == method)
        }
        #expect(await fixture.refusal(choose("password")) == .malformed)
        _ = try await fixture.call(
            ChangeUser.with { ($0.tenant, $0.personID, $0.displayName) = ("demo", alice.id, "Alice") })
        #expect(try await chosen() == "push")
        let entries = try await fixture.call(
            ListDirectoryAudit.with {
                $0.tenant = "demo"
                $0.filter.action = "user.default-method"
            }
        ).entries
        #expect(try entries.map { try JSONValue(parsing: $0.beforeJson)["defaultMethod"] } == ["code", .null])
        #expect(try entries.map { try JSONValue(parsing: $0.afterJson)["username"] } == ["alice", "alice"])
    }
}
