import Authenticator
import DeviceAPI
import Domain
import Foundation
import Proofs
import TestSupport
import Testing

extension FlowTests {
    @Suite("Clocks that are wrong by an hour") struct ClockTests {
        @Test(
            "a phone whose clock is an hour off is told the time, corrects itself, and does everything",
            arguments: [Duration.seconds(3600), .seconds(-3600)])
        func phone(off: Duration) async throws {
            try await FlowStack.withTenant { stack, tenant in
                let someone = try await tenant.someone(phone: Phone(stack, clockOff: off))
                let request = try await tenant.application.begin(someone.name)
                #expect(try await someone.phone.approve(request, someone.account) == .approved)
                #expect(try await tenant.application.redeemed(request).method == .push)
            }
        }

        @Test("a proof made an hour early or late is refused as clock_skew with the server's Date, and uses nothing up")
        func proof() async throws {
            try await FlowStack.withTenant { stack, tenant in
                let someone = try await tenant.someone()
                let path = APIPaths.deviceChallenges(tenant.id, DeviceID(someone.account.rawValue))
                func send(_ off: Duration, _ identifier: [UInt8]) async throws -> WebReply {
                    let proof = try await DeviceProofClaims(
                        method: "GET", url: FlowTransport.externalURL + path, issuedAt: stack.clock.now + off,
                        identifier: identifier
                    ).signed(by: someone.phone.signer(), device: DeviceID(someone.account.rawValue))
                    return try await stack.web.send("GET", path, [("Authorization", "DeviceProof \(proof)")])
                }
                let identifier = Array(UUID().uuidString.utf8)
                for off in [3600, -3600, 62, -62] {
                    let reply = try await send(.seconds(off), identifier)
                    #expect(reply.status == 401 && reply.code == "clock_skew")
                    #expect(reply.head["Date"]?.hasSuffix("GMT") == true)
                }
                #expect(try await send(.seconds(59), identifier).status == 200)
                #expect(try await send(.seconds(-59), identifier).code == "invalid_proof", "the identifier was used")
            }
        }

        @Test("an answer's time is recorded and not judged")
        func answer() async throws {
            try await FlowStack.withTenant { stack, tenant in
                let someone = try await tenant.someone()
                for off in [3600, -3600] {
                    let request = try await tenant.application.begin(someone.name)
                    let challenge = try await someone.phone.challenge(request.id, someone.account)
                    let issuedAt = stack.clock.now + .seconds(off)
                    let answer = try await AnswerClaims(
                        audience: "\(FlowTransport.externalURL)/\(tenant.id)", challenge: ChallengeID(request.id),
                        choice: .approve(number: request.number, userVerified: true),
                        contentDigest: contentDigest(Array(challenge.shown { _ in }.content.bytes)), issuedAt: issuedAt
                    ).signed(by: someone.phone.signer(), device: DeviceID(someone.account.rawValue))
                    let path = APIPaths.answer(tenant.id, ChallengeID(request.id))
                    let reply = try await stack.web.send("POST", path, body: AnswerRequest(answer: answer))
                    #expect(try reply.body(AnswerReply.self) == AnswerReply(status: .approved))
                    let redeemed = try await tenant.application.redeemed(request)
                    #expect(redeemed.receipt == answer && redeemed.authTime == stack.clock.now)
                }
            }
        }

        @Test("the code of the step before and of the step after are accepted, one further away is not")
        func codeWindow() async throws {
            try await FlowStack.withTenant { stack, tenant in
                let someone = try await tenant.someone()
                func attempt(_ steps: Int) async throws -> Int {
                    let request = try await tenant.application.begin(someone.name, .secondFactor)
                    let code = try await someone.phone.code(someone.account, in: HandClock.step * steps, on: stack)
                    let status = try await tenant.application.code(request, code).status
                    _ = try await tenant.application.cancel(request)
                    return status
                }
                #expect(try await attempt(-2) == 422)
                #expect(try await attempt(2) == 422)
                #expect(try await attempt(-1) == 200)
                #expect(try await attempt(0) == 200)
                #expect(try await attempt(1) == 200)
                #expect(try await attempt(120) == 422, "a phone an hour fast")
                #expect(try await attempt(-120) == 422, "a phone an hour slow")
            }
        }

        @Test(
            "an hour later: the idle session, the ticket, the pass, the token and the request have ended; the device has not"
        )
        func serverMovesAnHour() async throws {
            try await FlowStack.withTenant { stack, tenant in
                let someone = try await tenant.someone()
                let activation = try await someone.browser.newActivation()
                let pass = try await tenant.administrator.issuePass(someone.user)
                let open = try await tenant.application.begin(someone.name)
                let challenge = try await someone.phone.challenge(open.id, someone.account)
                let token = try await Self.token(tenant)
                #expect(try await Self.begin(tenant, token) == 201)

                await stack.advance(.seconds(3600))
                #expect(try await someone.browser.call("GET", APIPaths.me(tenant.id)).status == 401)
                await #expect(throws: AuthenticatorError.expired) { try await Phone(stack).activate(activation) }
                let late = SessionRequest(username: someone.name, temporaryAccessPass: pass.temporaryAccessPass)
                #expect(try await tenant.browser().start(late).code == "invalid_credentials")
                #expect(try await tenant.application.status(open).status == .expired)
                await #expect(throws: AuthenticatorError.expired) {
                    try await someone.phone.approve(challenge, open.number)
                }
                // A change of the tenant empties the gateway's cache of credentials, whose minute is not this clock's.
                _ = try await tenant.administrator.createApplication(ClientCreation(name: "Other"))
                #expect(try await Self.begin(tenant, token) == 401)

                let next = try await tenant.application.begin(someone.name)
                #expect(try await someone.phone.approve(next, someone.account) == .approved)
                let second = try await tenant.application.begin(someone.name, .secondFactor)
                let code = try await someone.phone.code(someone.account, on: stack)
                #expect(try await tenant.application.code(second, code).status == 200)
            }
        }

        private static func token(_ tenant: Tenancy) async throws -> String {
            let form = Data("grant_type=client_credentials".utf8)
            let basic = Application.basic(tenant.application.id, tenant.application.secret)
            let reply = try await tenant.stack.web.send(
                "POST", APIPaths.token(tenant.id), [basic, ("Content-Type", APIMedia.form)], body: form
            ).body(TokenReply.self)
            #expect(reply.expiresIn == 3600)
            return reply.accessToken
        }

        private static func begin(_ tenant: Tenancy, _ token: String) async throws -> Int {
            try await tenant.stack.web.send(
                "POST", APIPaths.signIns(tenant.id), [("Authorization", "Bearer \(token)")],
                body: SignInRequest(username: "nobody")
            ).status
        }

        @Test("a session that is used lives on, and ends twelve hours after its start")
        func session() async throws {
            try await FlowStack.withTenant { stack, tenant in
                let (_, browser) = try await tenant.person("alice")
                for _ in 0..<24 {
                    await stack.advance(.seconds(29 * 60))
                    #expect(try await browser.call("GET", APIPaths.me(tenant.id)).status == 200)
                }
                await stack.advance(.seconds(24 * 60))
                #expect(try await browser.call("GET", APIPaths.me(tenant.id)).status == 401)
            }
        }

        @Test("a registration request lives as long as its ticket, and not a minute")
        func registration() async throws {
            try await FlowStack.withTenant { stack, tenant in
                let (user, browser) = try await tenant.person("alice")
                let activation = try await browser.newActivation()
                let phone = Phone(stack)
                let account = try await phone.activate(activation)
                let number = try #require(try await browser.progress(activation, wait: 25).number)
                await stack.advance(.seconds(599))
                let request = try #require(try await phone.authenticator.pending(account.id).first)
                var events = phone.authenticator.events(account.id).makeAsyncIterator()
                #expect(try await events.next() == .connected)
                // Time alone ends it: nobody has stored the expiry yet.
                stack.clock.advance(.seconds(1))
                await #expect(throws: AuthenticatorError.expired) { try await phone.approve(request, number) }
                #expect(try await browser.progress(activation).state == .expired)
                // Once it is stored the device is gone too, and its answers are nobody's.
                await stack.advance(.zero)
                await #expect(throws: AuthenticatorError.notAuthenticated) {
                    while try await events.next() != nil {}
                }
                await #expect(throws: AuthenticatorError.refused) { try await phone.approve(request, number) }
                #expect(try await tenant.administrator.devices(of: user) == [])
            }
        }

        @Test("a server's clock that is set back an hour revives no proof, no code and no redemption")
        func serverSetBack() async throws {
            try await FlowStack.withTenant { stack, tenant in
                let someone = try await tenant.someone()
                let request = try await tenant.application.begin(someone.name)
                try await someone.phone.approve(request, someone.account)
                _ = try await tenant.application.redeemed(request)
                let second = try await tenant.application.begin(someone.name, .secondFactor)
                let code = try await someone.phone.code(someone.account, on: stack)
                #expect(try await tenant.application.code(second, code).status == 200)
                let list = try someone.phone.wire.last("GET", endingIn: "/challenges")

                await stack.advance(.seconds(-3600))
                #expect(try await tenant.application.redeem(request).code == "already_redeemed")
                let third = try await tenant.application.begin(someone.name, .secondFactor)
                let old = try await someone.phone.code(someone.account, on: stack)
                #expect(try await tenant.application.code(third, old).code == "invalid_code", "a step before the last")
                #expect(try await someone.phone.approve(third, someone.account) == .approved)
                await stack.advance(.seconds(3600))
                #expect(try await someone.phone.wire.replay(list).code == "invalid_proof")
            }
        }
    }
}
