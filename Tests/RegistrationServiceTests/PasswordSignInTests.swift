import Domain
import Foundation
import RegistrationService
import Secrets
import Storage
import StorageSQLite
import SwiftProtobuf
import TestSupport
import Testing
import Wire

@Suite("Sign-ins without a phone, and passwords that were refused")
struct PasswordSignInTests {
    let fixture: Fixture
    init() throws { fixture = try Fixture() }

    private static let home = Wire.RequestContext.with { ($0.ipAddress, $0.userAgent) = ("192.0.2.1", "Browser") }

    private func signIns(of person: PersonRecord) async throws -> [PasswordSignIn] {
        try await fixture.call(
            ListPasswordSignIns.with { ($0.tenant, $0.personID, $0.limit) = ("demo", person.id, 10) }
        ).signIns
    }

    private func entries(_ action: String) async throws -> [AuditEntry] {
        try await fixture.call(
            ListDirectoryAudit.with {
                $0.tenant = "demo"
                $0.filter.action = action
            }
        ).entries
    }

    private func document(_ entry: AuditEntry?) throws -> JSONValue {
        try JSONValue(parsing: #require(entry).afterJson)
    }

    @Test("a session that a password or a pass opened is listed with its place; one that a phone opened is not")
    func listed() async throws {
        let alice = try await fixture.person("alice")
        var login = fixture.login("alice")
        login.context = Self.home
        _ = try await fixture.call(login)
        fixture.clock.advance(.seconds(1))
        _ = try await fixture.call(fixture.passLogin("alice", fixture.issue(alice).pass))
        for (challenge, amr) in [("c1", ["swk", "user"]), ("c2", ["pwd", "otp"])] {
            _ = try await fixture.call(
                OpenSession.with {
                    ($0.tenant, $0.personID, $0.challengeID, $0.amr) = ("demo", alice.id, challenge, amr)
                })
        }
        let found = try await signIns(of: alice)
        #expect(found.map(\.byPass) == [true, false])
        #expect(found.last?.context == Self.home)
        #expect(try await signIns(of: fixture.person("bob")).isEmpty)
        let methods = try await entries("session.open").map { try document($0)["method"]?.text }
        #expect(methods == ["code", "phone", "temporaryAccessPass", "password"])
    }

    @Test(
        "what else happened to the person's sessions leaves no sign-in out, also none that an earlier version wrote down"
    )
    func amongOthers() async throws {
        let alice = try await fixture.person("alice")
        func append(_ action: String, _ count: Int, _ document: JSONValue) async throws {
            let time = fixture.clock.now
            try await fixture.store.write { records in
                for _ in 0..<count {
                    try records.append(
                        AuditRecord(
                            tenant: Fixture.demo, at: time, actorKind: "person", actorID: alice.id,
                            actorName: "alice", action: action, target: alice.id,
                            afterJSON: document.canonicalText, requestID: "r"))
                }
            }
        }
        try await append("session.open", 1, ["method": "password", "byPass": false, "ipAddress": "192.0.2.9"])
        try await append("session.open", 150, ["method": "phone", "byPass": false, "signIn": "c1"])
        try await append("session.end-others", 150, ["username": "alice"])
        #expect(try await signIns(of: alice).map(\.context.ipAddress) == ["192.0.2.9"])

        var login = fixture.login("alice")
        login.context = Self.home
        _ = try await fixture.call(login)
        let signIn = try #require(try await signIns(of: alice).first)
        let report = ReportPasswordSignIn.with { ($0.tenant, $0.personID, $0.id) = ("demo", alice.id, signIn.id) }
        _ = try await fixture.call(report)
        try await append("session.open", 300, ["method": "phone", "byPass": false, "signIn": "c2"])
        try await append("session.end-others", 300, ["username": "alice"])
        let found = try #require(try await signIns(of: alice).first)
        #expect(found.context == Self.home && found.reported)
        _ = try await fixture.call(report)
    }

    @Test("that it was not them ends the person's other sessions, and is said once")
    func reported() async throws {
        let alice = try await fixture.person("alice")
        let stranger = try await fixture.call(fixture.login("alice")).sessionToken
        let own = try await fixture.call(fixture.login("alice")).sessionToken
        let signIn = try #require(try await signIns(of: alice).last)
        let report = ReportPasswordSignIn.with {
            ($0.tenant, $0.personID, $0.id) = ("demo", alice.id, signIn.id)
            $0.tokenDigest = Data(sha256(Array(own.utf8)))
        }
        _ = try await fixture.call(report)
        await #expect(throws: ServiceError.self) { try await fixture.session(stranger) }
        _ = try await fixture.session(own)
        #expect(try await signIns(of: alice).map(\.reported) == [false, true])
        #expect(try await document(entries("session.report").first)["session"]?.text == signIn.id)

        let bob = try await fixture.person("bob")
        for (person, id) in [(bob.id, signIn.id), (alice.id, "registration-999999"), (alice.id, "x")] {
            var foreign = report
            (foreign.personID, foreign.id) = (person, id)
            #expect(await fixture.refusal(foreign) == .notFound)
        }
    }

    @Test("the same call from another address is the same call")
    func movedMeanwhile() async throws {
        try await fixture.person("alice")
        let id = RequestID.make(at: fixture.clock.now)
        var login = fixture.login("alice")
        login.context = Self.home
        let first = try await fixture.call(login, id: id)
        login.context.ipAddress = "198.51.100.7"
        #expect(try await fixture.call(login, id: id) == first)
    }

    @Test(
        "a call with a pass that is repeated is answered as before, and refused nothing; with another id it is refused")
    func repeatedPass() async throws {
        let alice = try await fixture.person("alice")
        let device = try await fixture.device(alice)
        func refusals() async throws -> [JSONValue?] {
            fixture.clock.advance(.seconds(60))
            await fixture.service.writeDueRefusals()
            return try await entries("password").map { try document($0)["purpose"] }
        }
        let login = try await fixture.passLogin("alice", fixture.issue(alice).pass)
        let id = RequestID.make(at: fixture.clock.now)
        let session = try await fixture.call(login, id: id)
        #expect(try await fixture.call(login, id: id) == session)
        #expect(try await refusals() == [])
        #expect(await fixture.refusal(login) == .invalidCredentials)
        #expect(try await refusals() == ["session"])

        var setup = fixture.setup(device, password: "")
        setup.temporaryAccessPass = try await Data(fixture.issue(alice).pass.utf8)
        let setupID = RequestID.make(at: fixture.clock.now)
        let begun = try await fixture.call(setup, id: setupID)
        #expect(try await fixture.call(setup, id: setupID) == begun)
        #expect(try await refusals() == ["session"])
        #expect(await fixture.refusal(setup) == .refused)
        #expect(try await refusals() == ["phoneSignInSetup", "session"])
    }

    @Test("refused passwords of somebody are one entry a minute with their count; those of nobody are none")
    func refused() async throws {
        let alice = try await fixture.person("alice")
        var wrong = fixture.login("ALICE", "wrong")
        wrong.context = Self.home
        for _ in 0..<3 { #expect(await fixture.refusal(wrong) == .invalidCredentials) }
        #expect(await fixture.refusal(fixture.login("nobody", "wrong")) == .invalidCredentials)
        await fixture.service.writeDueRefusals()
        #expect(try await entries("password").isEmpty)
        fixture.clock.advance(.seconds(1))
        await fixture.service.writeDueRefusals()
        let entry = try #require(try await entries("password").first)
        #expect(entry.action == "password.refuse" && entry.target == alice.id && entry.actor.kind == "unknown")
        let first = try document(entry)
        #expect(first["count"] == 3 && first["username"] == "alice" && first["method"] == "password")
        #expect(first["ipAddress"] == "192.0.2.1" && first["purpose"] == "session")

        for request in [wrong, fixture.login("alice", "wrong")] {
            #expect(await fixture.refusal(request) == .invalidCredentials)
        }
        fixture.clock.advance(.seconds(59))
        await fixture.service.writeDueRefusals()
        #expect(try await entries("password").count == 1)
        fixture.clock.advance(.seconds(1))
        await fixture.service.writeDueRefusals()
        #expect(try await entries("password").count == 2)
        let second = try await document(entries("password").first)
        #expect(second["count"] == 2 && second["ipAddress"] == "192.0.2.1")
    }

    @Test(
        "a password and a pass, and what they were to open, are entries of their own: nobody's last guess stands for others"
    )
    func kinds() async throws {
        try await fixture.person("alice")
        var wrong = fixture.login("alice", "wrong")
        wrong.context = Self.home
        #expect(await fixture.refusal(wrong) == .invalidCredentials)
        #expect(await fixture.refusal(fixture.passLogin("alice", "ABCDEFGH")) == .invalidCredentials)
        let code = VerifyPassword.with {
            ($0.tenant, $0.username, $0.password) = ("demo", "alice", Data("wrong".utf8))
        }
        #expect(try await !fixture.call(code, from: .verifier).correct)
        fixture.clock.advance(.seconds(1))
        await fixture.service.writeDueRefusals()
        let kinds = try await entries("password").map { entry in
            let told = try document(entry)
            return ["method", "purpose", "ipAddress"].map { told[$0]?.text ?? "" }
        }
        #expect(
            Set(kinds) == [
                ["password", "session", "192.0.2.1"], ["temporaryAccessPass", "session", ""], ["password", "code", ""],
            ])
    }

    @Test("refusals that could not be written are written later, together with those that came meanwhile")
    func notWritten() async throws {
        try await fixture.person("alice")
        let wrong = fixture.login("alice", "wrong")
        #expect(await fixture.refusal(wrong) == .invalidCredentials)
        fixture.clock.advance(.seconds(1))
        let fixture = fixture
        await Task {
            withUnsafeCurrentTask { $0?.cancel() }
            await fixture.service.writeDueRefusals()
        }.value
        #expect(try await entries("password").isEmpty)
        #expect(await fixture.refusal(wrong) == .invalidCredentials)
        fixture.clock.advance(.seconds(60))
        await fixture.service.writeDueRefusals()
        #expect(try await entries("password").map { try document($0)["count"] } == [2])
    }
}
