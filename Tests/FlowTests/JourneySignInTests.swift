import Authenticator
import DeviceAPI
import Domain
import Foundation
import Proofs
import TestSupport
import Testing

extension FlowTests {
    @Suite("J6 to J8: signing in") struct JourneySignInTests {
        @Test(
            "J6: a person signs in by the number, and the application redeems once, with a receipt that verifies offline"
        )
        func byNumber() async throws {
            try await FlowStack.withTenant { stack, tenant in
                let someone = try await tenant.someone()
                let application = tenant.application
                let request = try await application.begin(someone.name)
                #expect(request.status == .pending && request.methods == [.push, .code])
                #expect(request.number.count == 2 && request.number.first != "0")
                #expect(try await someone.phone.approve(request, someone.account) == .approved)
                #expect(try await application.status(request).status == .approved)

                let redeemed = try await application.redeemed(request)
                #expect(redeemed.user.username == someone.name && redeemed.user.id == someone.user.id)
                #expect(redeemed.method == .push && redeemed.amr == ["swk", "user"])
                #expect(try await application.redeem(request).code == "already_redeemed")
                #expect(try await application.status(request).status == .redeemed)
                try Self.verify(redeemed, of: request, in: tenant)
            }
        }

        /// What a relying application does with a receipt, without asking anybody.
        private static func verify(_ redeemed: RedeemReply, of request: SignInReply, in tenant: Tenancy) throws {
            let key = try #require(redeemed.receiptKey)
            let x963 = try [4] + #require(Base64URL.decode(key.x)) + #require(Base64URL.decode(key.y))
            let claims = try DeviceAnswer(#require(redeemed.receipt)).verify(
                key: PublicKeyJWK(x963: x963), audience: "\(FlowTransport.externalURL)/\(tenant.id)",
                challenge: ChallengeID(request.id))
            let content = try #require(redeemed.receiptContent.flatMap { Base64URL.decode($0) })
            #expect(claims.decision == .approve && claims.number == request.number)
            #expect(claims.contentDigest == contentDigest(content))
        }

        @Test("J6: the phone shows application, place and device of the request, and never the number")
        func context() async throws {
            try await FlowStack.withTenant { stack, tenant in
                let someone = try await tenant.someone()
                let asked = SignInRequest(
                    username: someone.name.uppercased(), application: "Time sheets",
                    context: SignInContext(ipAddress: "203.0.113.7", userAgent: "Browser 1"))
                let request = try await tenant.application.tryBegin(asked).body(SignInReply.self, status: 201)
                let challenge = try await someone.phone.challenge(request.id, someone.account)
                let content = challenge.shown { _ in }.content
                #expect(content.id == request.id && content.tenant == "demo" && content.user == someone.name)
                #expect(content.application == "Time sheets" && content.ipAddress == "203.0.113.7")
                #expect(content.userAgent == "Browser 1" && content.numberDigits == 2)
                let members = try JSONValue(parsing: Array(content.bytes)).members ?? [:]
                #expect(
                    Set(members.keys) == [
                        "id", "tenant", "user", "application", "location", "ipAddress", "userAgent", "issuedAt",
                        "expiresAt", "numberDigits",
                    ])
            }
        }

        @Test(
            "J6: phones that listen hear of the request; one answers, the waiting page is woken at once, the other phone stops showing it"
        )
        func live() async throws {
            try await FlowStack.withTenant { stack, tenant in
                let someone = try await tenant.someone()
                let other = Phone(stack)
                let second = try await other.register(in: someone.browser)
                try await other.setUpPhoneSignIn(second, with: .password(Tenancy.password))
                var events = someone.phone.authenticator.events(someone.account).makeAsyncIterator()
                var otherEvents = other.authenticator.events(second).makeAsyncIterator()
                #expect(try await events.next() == .connected)
                #expect(try await otherEvents.next() == .connected)
                let request = try await tenant.application.begin(someone.name)
                let challenge = try #require(try await events.next()?.challenge)
                #expect(challenge.id == request.id && challenge.purpose == .signIn)
                #expect(try await otherEvents.next()?.challenge?.id == request.id)

                async let page = tenant.application.status(request, wait: 25)
                #expect(try await someone.phone.approve(challenge, request.number) == .approved)
                let answered = ContinuousClock.now
                let seen = try await page
                #expect(ContinuousClock.now - answered < .seconds(1))
                #expect(seen.status == .approved && seen.method == .push && seen.reason == nil)
                #expect(try await otherEvents.next() == .settled(id: request.id, status: "approved"))
            }
        }

        @Test("J6: a phone that listens is told when the application gives the request up")
        func liveCancel() async throws {
            try await FlowStack.withTenant { stack, tenant in
                let someone = try await tenant.someone()
                let request = try await tenant.application.begin(someone.name)
                var events = someone.phone.authenticator.events(someone.account).makeAsyncIterator()
                #expect(try await events.next() == .connected)
                #expect(try await events.next()?.challenge?.id == request.id, "told of what was open before")
                #expect(try await tenant.application.cancel(request).status == 204)
                #expect(try await events.next() == .settled(id: request.id, status: "canceled"))
            }
        }

        @Test("J6, J8: a phone was last used when it, or its code, signed somebody in, as owner and administrators see")
        func lastUsed() async throws {
            try await FlowStack.withTenant { stack, tenant in
                let someone = try await tenant.someone()
                var shown = try await Self.lastUsed(someone, tenant)
                for byCode in [false, true] {
                    await stack.advance(DeviceUse.interval)
                    let request = try await tenant.application.begin(someone.name, .secondFactor)
                    if byCode {
                        let code = try await someone.phone.code(someone.account, on: stack)
                        try await tenant.application.code(request, code).expect(200)
                    } else {
                        let outcome = try await someone.phone.approve(request, someone.account)
                        #expect(outcome == .approved)
                    }
                    let usedAt = stack.clock.now
                    await stack.advance(.seconds(1))
                    // Whoever tells it may be under way already.
                    for _ in 0..<100 where shown != [usedAt, usedAt] {
                        shown = try await Self.lastUsed(someone, tenant)
                    }
                    #expect(shown == [usedAt, usedAt])
                }
            }
        }

        /// As the person sees it, and as an administrator does.
        private static func lastUsed(_ someone: Someone, _ tenant: Tenancy) async throws -> [Timestamp?] {
            [
                try await someone.browser.me().devices.first?.lastUsedAt,
                try await tenant.administrator.devices(of: someone.user).first?.lastUsedAt,
            ]
        }

        @Test("J7: the same request as a second factor needs no phone sign-in")
        func secondFactor() async throws {
            try await FlowStack.withTenant { stack, tenant in
                let someone = try await tenant.someone(phoneSignIn: false)
                let request = try await tenant.application.begin(someone.name, .secondFactor)
                let challenge = try await someone.phone.challenge(request.id, someone.account)
                #expect(challenge.purpose == .secondFactor)
                #expect(try await someone.phone.approve(challenge, request.number) == .approved)
                let redeemed = try await tenant.application.redeemed(request)
                #expect(redeemed.method == .push && redeemed.amr == ["swk", "user"])
            }
        }

        @Test("J8: a code is a second factor by itself, and signs in together with the password")
        func offlineCode() async throws {
            try await FlowStack.withTenant { stack, tenant in
                let someone = try await tenant.someone()
                let application = tenant.application
                let second = try await application.begin(someone.name, .secondFactor)
                let code = try await someone.phone.code(someone.account, on: stack)
                let accepted = try await application.code(second, code).body(SignInStatus.self)
                #expect(accepted.status == .approved && accepted.method == .code)
                let redeemed = try await application.redeemed(second)
                #expect(redeemed.method == .code && redeemed.amr == ["otp"] && redeemed.receipt == nil)

                stack.clock.advance(HandClock.step)
                let signIn = try await application.begin(someone.name)
                let next = try await someone.phone.code(someone.account, on: stack)
                #expect(try await application.code(signIn, next).code == "invalid_code", "the password is missing")
                #expect(try await application.code(signIn, next, password: "wrong").code == "invalid_code")
                #expect(try await application.code(signIn, next, password: Tenancy.password).status == 200)
                #expect(try await application.redeemed(signIn).amr == ["pwd", "otp"])
            }
        }

        @Test("J8: a code alone, where its password is needed, uses no step and counts as no failure")
        func codeAlone() async throws {
            try await FlowStack.withTenant { stack, tenant in
                let someone = try await tenant.someone()
                let request = try await tenant.application.begin(someone.name)
                let code = try await someone.phone.code(someone.account, on: stack)
                for _ in 0..<12 {
                    #expect(try await tenant.application.code(request, code).code == "invalid_code")
                }
                #expect(try await tenant.application.code(request, code, password: Tenancy.password).status == 200)
            }
        }

        @Test("J8: an administrator may let a code sign in alone, from the next request on")
        func codeAloneAllowed() async throws {
            try await FlowStack.withTenant { stack, tenant in
                let someone = try await tenant.someone()
                try await tenant.administrator.changeSettings(#"{"offlineCodeAlone":true}"#)
                let request = try await tenant.application.begin(someone.name)
                let code = try await someone.phone.code(someone.account, on: stack)
                #expect(try await tenant.application.code(request, code).status == 200)
                #expect(try await tenant.application.redeemed(request).amr == ["otp"])
            }
        }

        @Test("J8: wrong codes are counted across requests: three, then two minutes, doubling")
        func wrongCodes() async throws {
            try await FlowStack.withTenant { stack, tenant in
                let someone = try await tenant.someone()
                let application = tenant.application
                func attempt(_ code: String) async throws -> WebReply {
                    let request = try await application.begin(someone.name, .secondFactor)
                    defer { stack.clock.advance(.seconds(1)) }
                    let reply = try await application.code(request, code)
                    _ = try await application.cancel(request)
                    return reply
                }
                let right = try await someone.phone.code(someone.account, on: stack)
                let wrong = right == "000000" ? "111111" : "000000"
                for _ in 0..<3 { #expect(try await attempt(wrong).code == "invalid_code") }
                let refused = try await attempt(right)
                #expect(refused.status == 429 && refused.code == "too_many_attempts")
                #expect(refused.head["Retry-After"].flatMap { Int($0) }.map { (100...120).contains($0) } == true)
                await stack.advance(.seconds(120))
                #expect(try await attempt(wrong).code == "invalid_code")
                await stack.advance(.seconds(121))
                #expect(try await attempt(wrong).status == 429, "the second pause is twice as long")
                await stack.advance(.seconds(121))
                #expect(try await attempt(try await someone.phone.code(someone.account, on: stack)).status == 200)
            }
        }
    }
}
