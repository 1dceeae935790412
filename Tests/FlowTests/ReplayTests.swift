import Authenticator
import DeviceAPI
import Domain
import Foundation
import Proofs
import TestSupport
import Testing

extension FlowTests {
    @Suite("What was signed or shown once does not work twice") struct ReplayTests {
        @Test("an activation proof repeats its first reply until it is confirmed, then its ticket is used")
        func activationProof() async throws {
            try await FlowStack.withTenant { stack, tenant in
                let (_, browser) = try await tenant.person("alice")
                let activation = try await browser.newActivation()
                let phone = Phone(stack)
                let account = try await phone.activate(activation)
                let sent = try phone.wire.last("POST", endingIn: "/devices")
                let first = try await phone.wire.replay(sent).body(ActivationReply.self, status: 201)
                #expect(first.deviceId == account.id.rawValue && first.offlineCode.secret == account.offlineCode.secret)
                #expect(try await browser.me().devices.count == 1)

                let number = try #require(try await browser.progress(activation, wait: 25).number)
                let request = try #require(try await phone.authenticator.pending(account.id).first)
                #expect(try await phone.approve(request, number) == .approved)
                #expect(try await phone.wire.replay(sent).code == "ticket_used")
                #expect(try await browser.me().devices.count == 1)

                // The same proof with another ticket is a proof of nothing.
                let fresh = try ActivationURI(try await browser.newActivation().activationUri).ticket
                let body = try JSONDecoder().decode(ActivationRequest.self, from: try #require(sent.body))
                let moved = ActivationRequest(ticket: fresh, proof: body.proof, device: body.device)
                let reply = try await stack.web.send("POST", APIPaths.devices(tenant.id), body: moved)
                #expect(reply.status == 403 && reply.code == "refused")
            }
        }

        @Test("a ticket belongs to the first phone that shows it")
        func ticket() async throws {
            try await FlowStack.withTenant { stack, tenant in
                let (_, browser) = try await tenant.person("alice")
                let activation = try await browser.newActivation()
                _ = try await Phone(stack).activate(activation)
                let thief = Phone(stack)
                await #expect(throws: AuthenticatorError.ticketUsed) { try await thief.activate(activation) }
                let image = APIPaths.myActivationCode(tenant.id, ActivationID(activation.id))
                #expect(try await browser.call("GET", image).code == "ticket_used")
            }
        }

        @Test("a device proof works once, also when its Idempotency-Key is sent along")
        func deviceProof() async throws {
            try await FlowStack.withTenant { stack, tenant in
                let someone = try await tenant.someone()
                #expect(try await someone.phone.pendingIDs(someone.account) == [])
                let list = try someone.phone.wire.last("GET", endingIn: "/challenges")
                let again = try await someone.phone.wire.replay(list)
                #expect(again.status == 401 && again.code == "invalid_proof")

                let setUp = try someone.phone.wire.last("POST", endingIn: "/phone-sign-in")
                let keyed = TransportRequest(
                    method: "POST", url: setUp.url, headers: setUp.headers + [(APIHeaders.idempotencyKey, "k")],
                    body: setUp.body, timeout: setUp.timeout)
                for _ in 0..<2 { #expect(try await someone.phone.wire.replay(keyed).code == "invalid_proof") }

                // The clock moves, and the proof is as old as it may be.
                stack.clock.advance(.seconds(59))
                #expect(try await someone.phone.wire.replay(list).code == "invalid_proof")
                stack.clock.advance(.seconds(2))
                #expect(try await someone.phone.wire.replay(list).code == "clock_skew")
            }
        }

        @Test(
            "an answer sent again gets its first reply, another one 'settled', and neither counts for another request")
        func answer() async throws {
            try await FlowStack.withTenant { stack, tenant in
                let someone = try await tenant.someone()
                let request = try await tenant.application.begin(someone.name)
                let challenge = try await someone.phone.challenge(request.id, someone.account)
                #expect(try await someone.phone.approve(challenge, request.number) == .approved)
                let sent = try someone.phone.wire.last("POST", endingIn: "/answer")
                for _ in 0..<3 {
                    let repeated = try await someone.phone.wire.replay(sent).body(AnswerReply.self)
                    #expect(repeated == AnswerReply(status: .approved))
                }
                await #expect(throws: AuthenticatorError.settled) {
                    try await someone.phone.approve(challenge, request.number)
                }
                await #expect(throws: AuthenticatorError.settled) {
                    try await someone.phone.authenticator.decline(challenge)
                }
                _ = try await tenant.application.redeemed(request)
                #expect(try await someone.phone.wire.replay(sent).status == 200, "its first reply, whatever came after")

                let next = try await tenant.application.begin(someone.name)
                let moved = try await stack.web.send(
                    "POST", APIPaths.answer(tenant.id, ChallengeID(next.id)), body: sent.body)
                #expect(moved.status == 403 && moved.code == "refused")
                #expect(try await tenant.application.status(next).status == .pending)
            }
        }

        @Test("the repeat of an approval does not approve what has expired since")
        func answerAfterExpiry() async throws {
            try await FlowStack.withTenant { stack, tenant in
                let someone = try await tenant.someone()
                let request = try await tenant.application.begin(someone.name)
                try await someone.phone.approve(request, someone.account)
                let sent = try someone.phone.wire.last("POST", endingIn: "/answer")
                await stack.advance(.seconds(3600))
                _ = try await someone.phone.wire.replay(sent)
                #expect(try await tenant.application.status(request).status == .expired)
                #expect(try await tenant.application.redeem(request).status == 410)
            }
        }

        @Test("a code is accepted once: again on the same request it repeats the reply, on another one it is wrong")
        func codeStep() async throws {
            try await FlowStack.withTenant { stack, tenant in
                let someone = try await tenant.someone()
                let application = tenant.application
                let first = try await application.begin(someone.name, .secondFactor)
                let code = try await someone.phone.code(someone.account, on: stack)
                let reply = try await application.code(first, code).body(SignInStatus.self)
                #expect(try await application.code(first, code).body(SignInStatus.self) == reply)
                let second = try await application.begin(someone.name, .secondFactor)
                #expect(try await application.code(second, code).code == "invalid_code")
                // Nor an older step that is still in the window.
                let earlier = try await someone.phone.code(someone.account, in: .zero - HandClock.step, on: stack)
                #expect(try await application.code(second, earlier).code == "invalid_code")
                let later = try await someone.phone.code(someone.account, in: HandClock.step, on: stack)
                #expect(try await application.code(second, later).status == 200)
                #expect(try await application.code(first, later).code == "settled")
            }
        }

        @Test("a Temporary Access Pass opens one session")
        func pass() async throws {
            try await FlowStack.withTenant { stack, tenant in
                let user = try await tenant.administrator.createUser("alice")
                let pass = try await tenant.administrator.issuePass(user).temporaryAccessPass
                let request = SessionRequest(username: "alice", temporaryAccessPass: pass)
                try await tenant.browser().signIn(request)
                let second = try await tenant.browser().start(request)
                #expect(second.status == 401 && second.code == "invalid_credentials")
                // A further pass takes the place of one that was not used.
                let old = try await tenant.administrator.issuePass(user).temporaryAccessPass
                let new = try await tenant.administrator.issuePass(user).temporaryAccessPass
                let stale = SessionRequest(username: "alice", temporaryAccessPass: old)
                #expect(try await tenant.browser().start(stale).code == "invalid_credentials")
                try await tenant.browser().signIn(SessionRequest(username: "alice", temporaryAccessPass: new))
            }
        }

        @Test("a session is completed once, and a redemption repeats its reply to the same Idempotency-Key only")
        func completion() async throws {
            try await FlowStack.withTenant { stack, tenant in
                let someone = try await tenant.someone()
                let browser = tenant.browser()
                let started = try await browser.start(SessionRequest(username: someone.name))
                    .body(SessionSignIn.self, status: 202).signIn
                try await someone.phone.approve(started, someone.account)
                let copy = tenant.browser()
                copy.steal(from: browser)
                #expect(try await browser.complete(started).status == 200)
                #expect(try await copy.complete(started).status != 200)

                let request = try await tenant.application.begin(someone.name)
                try await someone.phone.approve(request, someone.account)
                let key = [(APIHeaders.idempotencyKey, "once")]
                let first = try await tenant.application.call("POST", request, "/redeem", headers: key)
                #expect(first.status == 200)
                let repeated = try await tenant.application.call("POST", request, "/redeem", headers: key)
                #expect(repeated.status == 200 && repeated.body == first.body)
                let other = [(APIHeaders.idempotencyKey, "twice")]
                #expect(
                    try await tenant.application.call("POST", request, "/redeem", headers: other).code
                        == "already_redeemed")
                await stack.advance(.seconds(601))
                #expect(
                    try await tenant.application.call("POST", request, "/redeem", headers: key).code
                        == "idempotency_key_used")
            }
        }
    }
}
