import Authenticator
import Domain
import Foundation
import Testing

/// A phone whose clock may differ from the server's, and which never really waits.
private func phone(_ server: FakeServer, vault: MemoryVault = MemoryVault(), ahead: TimeInterval = 0) -> Authenticator {
    Authenticator(
        keys: vault, accounts: vault, transport: server,
        surroundings: .init(
            now: { Date(timeIntervalSince1970: 1_800_000_000 + ahead) }, pause: { _ in try Task.checkCancellation() }))
}

private let profile = DeviceProfile(name: "Test phone", platform: .cli, osVersion: "1.0", appVersion: "1.0.0")

extension Authenticator {
    fileprivate func activeAccount(_ server: FakeServer, tenant: String = "demo") async throws -> Account {
        let account = try await activate(server.link(tenant: tenant), as: profile)
        let challenge = try #require(try await pending(account.id).first)
        let shown = challenge.shown { _ in }
        #expect(try await answer(shown, with: .approve(number: FakeServer.number)) == .approved)
        return try await self.account(account.id)
    }
}

@Suite("A phone")
struct AuthenticatorTests {
    @Test("an activation proves its key, awaits its number, and is active once that is right")
    func activation() async throws {
        let server = FakeServer()
        let phone = phone(server)
        let waiting = try await phone.activate(server.link(), as: profile)
        #expect(waiting.state == .awaitingConfirmation)
        #expect(try await phone.pending(waiting.id).map(\.purpose) == [.registration])
        let shown = try #require(try await phone.pending(waiting.id).first).shown { _ in }
        #expect(try await phone.answer(shown, with: .approve(number: FakeServer.number)) == .approved)
        #expect(try await phone.account(waiting.id).state == .active)
    }

    @Test("a wrong number at an activation ends the account and its key")
    func wrongRegistration() async throws {
        let server = FakeServer()
        let vault = MemoryVault()
        let phone = phone(server, vault: vault)
        let account = try await phone.activate(server.link(), as: profile)
        let shown = try #require(try await phone.pending(account.id).first).shown { _ in }
        #expect(try await phone.answer(shown, with: .approve(number: "11")) == .denied(.wrongNumber))
        #expect(try await phone.accounts().isEmpty)
        #expect(await vault.key(account.key) == nil)
    }

    @Test("one phone has one key in several tenants, and each account its own device")
    func severalTenants() async throws {
        let server = FakeServer()
        let phone = phone(server)
        let first = try await phone.activeAccount(server)
        let second = try await phone.activeAccount(server, tenant: "other")
        #expect(first.key == second.key)
        #expect(first.id != second.id)
        let own = try await phone.activate(server.link(tenant: "third"), as: profile, key: .own)
        #expect(own.key != first.key)
        try await phone.remove(first.id)
        #expect(try await phone.pending(second.id).isEmpty, "the shared key is still there")
    }

    @Test("what is signed is the exact content, and what is shown is safe to show")
    func content() async throws {
        let server = FakeServer()
        let phone = phone(server)
        let account = try await phone.activeAccount(server)
        try await server.ask(DeviceID(account.id.rawValue), id: "c1")
        let challenge = try #require(try await phone.pending(account.id).first)
        let shown = challenge.shown { content in
            #expect(content.application == "Payroll")
            #expect(content.userAgent == "Firefox[2J")
            #expect(content.location == nil)
            #expect(content.numberDigits == 2)
        }
        #expect(await server.challenges["c1"]?.content == Array(shown.content.bytes))
        #expect(try await phone.answer(shown, with: .approve(number: FakeServer.number)) == .approved)
        await #expect(throws: AuthenticatorError.settled) { try await phone.answer(shown, with: .decline) }
    }

    @Test(
        "a request whose content is another's is not shown at all",
        arguments: [("c2", "demo"), (nil, "other")] as [(String?, String)])
    func mixedUp(contentID: String?, tenant: String) async throws {
        let server = FakeServer()
        let phone = phone(server)
        let account = try await phone.activeAccount(server)
        try await server.ask(DeviceID(account.id.rawValue), id: "c1", tenant: tenant, contentID: contentID)
        #expect(try await phone.pending(account.id).isEmpty)
    }

    @Test("a number that cannot be right is not sent", arguments: ["", "4", "421", "4a", "４２", " 42"])
    func impossibleNumbers(number: String) async throws {
        let server = FakeServer()
        let phone = phone(server)
        let account = try await phone.activeAccount(server)
        try await server.ask(DeviceID(account.id.rawValue), id: "c1")
        let shown = try #require(try await phone.pending(account.id).first).shown { _ in }
        let before = await server.sent.count
        await #expect(throws: AuthenticatorError.invalidNumber) {
            try await phone.answer(shown, with: .approve(number: number))
        }
        #expect(await server.sent.count == before)
    }

    @Test("declining and reporting need no number and say which it was")
    func refusals() async throws {
        let server = FakeServer()
        let phone = phone(server)
        let account = try await phone.activeAccount(server)
        for (id, expected) in [("c1", AnswerOutcome.denied(.declined)), ("c2", .denied(.reported))] {
            try await server.ask(DeviceID(account.id.rawValue), id: id)
            let challenge = try #require(try await phone.pending(account.id).first)
            #expect(try await id == "c1" ? phone.decline(challenge) == expected : phone.report(challenge) == expected)
        }
    }

    @Test("an answer whose reply is lost is repeated byte for byte and gets the first reply")
    func identicalRepeat() async throws {
        let server = FakeServer()
        let phone = phone(server)
        let account = try await phone.activeAccount(server)
        try await server.ask(DeviceID(account.id.rawValue), id: "c1")
        let shown = try #require(try await phone.pending(account.id).first).shown { _ in }
        await server.loseReplies(2)
        #expect(try await phone.answer(shown, with: .approve(number: FakeServer.number)) == .approved)
        let bodies = await server.sent.suffix(3).map(\.body)
        #expect(Set(bodies).count == 1)
    }

    @Test("after giving up, the same answer again is still the same bytes")
    func repeatAfterGivingUp() async throws {
        let server = FakeServer()
        let phone = phone(server)
        let account = try await phone.activeAccount(server)
        try await server.ask(DeviceID(account.id.rawValue), id: "c1")
        let shown = try #require(try await phone.pending(account.id).first).shown { _ in }
        await server.loseReplies(4)
        await #expect(throws: AuthenticatorError.transport(.interrupted)) {
            try await phone.answer(shown, with: .approve(number: FakeServer.number))
        }
        #expect(try await phone.answer(shown, with: .approve(number: FakeServer.number)) == .approved)
    }

    @Test(
        "a wrong clock is corrected once by the server's, for activation and for every later request",
        arguments: [-3600.0, 3600])
    func skew(ahead: TimeInterval) async throws {
        let server = FakeServer()
        let phone = phone(server, ahead: ahead)
        let account = try await phone.activeAccount(server)
        let before = await server.sent.count
        _ = try await phone.pending(account.id)
        #expect(await server.sent.count == before + 1, "the offset is remembered")
    }

    @Test("phone sign-in is set up by number and can be turned off")
    func phoneSignIn() async throws {
        let server = FakeServer()
        let phone = phone(server)
        let account = try await phone.activeAccount(server)
        await #expect(throws: AuthenticatorError.refused) {
            try await phone.setUpPhoneSignIn(account.id, with: .password("wrong"))
        }
        let setup = try await phone.setUpPhoneSignIn(account.id, with: .password("right"))
        let challenge = try #require(try await phone.pending(account.id).first { $0.id == setup.challengeID })
        #expect(try await phone.answer(challenge.shown { _ in }, with: .approve(number: setup.number)) == .approved)
        #expect(try await phone.account(account.id).phoneSignIn)
        #expect(try await phone.phoneSignInStatus(account.id).isEnabled)
        try await phone.disablePhoneSignIn(account.id)
        #expect(try await !phone.account(account.id).phoneSignIn)
    }

    @Test(
        "what a set-up of phone sign-in would throw is known before anybody is asked for a password",
        arguments: [
            (nil, nil), ("refused", .refused), ("single_tenant", .singleTenant),
            ("update_required", .updateRequired(minimum: nil)), ("not_yet", .rejected(status: 403, code: "not_yet")),
        ] as [(String?, AuthenticatorError?)])
    func setUpIsForetold(code: String?, refusal: AuthenticatorError?) async throws {
        let server = FakeServer()
        let phone = phone(server)
        let account = try await phone.activeAccount(server)
        for needsCredential in [true, false, nil] {
            await server.tellOfSetUp(refusal: code, needsCredential: needsCredential)
            let status = try await phone.phoneSignInStatus(account.id)
            #expect(!status.isEnabled && status.setUpRefusal == refusal)
            #expect(status.needsCredential == (needsCredential ?? false))
        }
    }

    @Test("a device that the server removed can still be removed here")
    func removedThere() async throws {
        let server = FakeServer()
        let phone = phone(server)
        let account = try await phone.activeAccount(server)
        await server.forget(DeviceID(account.id.rawValue))
        await #expect(throws: AuthenticatorError.notAuthenticated) { try await phone.pending(account.id) }
        try await phone.remove(account.id)
        #expect(try await phone.accounts().isEmpty)
    }

    @Test("an unavailable server is named so, with its wish to wait")
    func unavailable() async throws {
        let server = FakeServer()
        let phone = phone(server)
        let account = try await phone.activeAccount(server)
        await server.beUnavailable(1)
        await #expect(throws: AuthenticatorError.unavailable(retryAfter: .seconds(1))) {
            try await phone.pending(account.id)
        }
    }

    @Test("offline codes are RFC 6238's and need no network")
    func offlineCodes() async throws {
        let server = FakeServer()
        let phone = phone(server)
        let account = try await phone.activeAccount(server)
        let before = await server.sent.count
        let code = try await phone.offlineCode(account.id, at: Date(timeIntervalSince1970: 59))
        #expect(code.code == "287082")
        #expect(code.expiresAt == Date(timeIntervalSince1970: 60))
        #expect(await server.sent.count == before)
    }

    @Test("events survive a lost connection, with a new proof and each request told once")
    func events() async throws {
        let server = FakeServer()
        let phone = phone(server)
        let account = try await phone.activeAccount(server)
        let request = try await server.ask(DeviceID(account.id.rawValue), id: "c1")
        let data = String(decoding: try JSONEncoder().encode(request), as: UTF8.self)
        let challenge = Data("event: challenge\ndata: \(data)\n\n".utf8)
        let settled = Data("event: settled\ndata: {\"id\":\"c1\",\"status\":\"approved\"}\n\n".utf8)
        await server.offer([
            AsyncThrowingStream {
                $0.yield(challenge)
                $0.finish(throwing: TransportError.interrupted)
            },
            AsyncThrowingStream {
                $0.yield(challenge)
                $0.yield(settled)
            },
        ])
        var told: [String] = []
        for try await event in phone.events(account.id) {
            switch event {
            case .connected: told.append("connected")
            case .challenge(let challenge): told.append(challenge.id)
            case .settled(let id, let status): told.append("\(id) \(status)")
            case .disconnected: told.append("disconnected")
            }
            if told.last == "c1 approved" { break }
        }
        #expect(told == ["connected", "c1", "disconnected", "connected", "c1 approved"])
        #expect(await server.streamProofs == 2)
    }

    @Test("events end with an error when the device was removed")
    func eventsOfRemovedDevice() async throws {
        let server = FakeServer()
        let phone = phone(server)
        let account = try await phone.activeAccount(server)
        await server.forget(DeviceID(account.id.rawValue))
        await #expect(throws: AuthenticatorError.notAuthenticated) { try await phone.listen(account.id) { _ in } }
    }

    @Test("secrets do not print")
    func printing() async throws {
        let server = FakeServer()
        let account = try await phone(server).activeAccount(server)
        let key = SoftwareKey()
        for text in ["\(account)", String(reflecting: account)] { #expect(!text.contains(FakeServer.offlineSecret)) }
        #expect(!String(reflecting: try server.link()).contains(server.ticket))
        #expect(!"\(key)".contains(key.privateKey.base64EncodedString()))
        #expect(!"\(Answer.approve(number: "42"))".contains("42"))
    }
}
