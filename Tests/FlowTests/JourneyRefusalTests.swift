import Authenticator
import DeviceAPI
import Domain
import Testing

extension FlowTests {
    @Suite("J9: refusing") struct JourneyRefusalTests {
        /// Ends a request while its page waits; what the page sees, and what the log says.
        private static func outcome(
            _ tenant: Tenancy, _ someone: Someone, _ end: (SignInReply) async throws -> Void
        ) async throws -> (page: SignInStatus, log: SignInLogEntry) {
            let request = try await tenant.application.begin(someone.name)
            async let page = tenant.application.status(request, wait: 25)
            try await end(request)
            let ended = ContinuousClock.now
            let seen = try await page
            #expect(ContinuousClock.now - ended < .seconds(1))
            return (seen, try await tenant.administrator.logged(request))
        }

        @Test("J9: declining ends the request, and the page and the log say so")
        func decline() async throws {
            try await FlowStack.withTenant { stack, tenant in
                let someone = try await tenant.someone()
                let (page, log) = try await Self.outcome(tenant, someone) { request in
                    let challenge = try await someone.phone.challenge(request.id, someone.account)
                    #expect(try await someone.phone.authenticator.decline(challenge) == .denied(.declined))
                }
                #expect(page.status == .denied && page.reason == "declined" && page.method == nil)
                #expect(log.status == .denied && log.reason == "declined" && log.deviceName == "Phone")
                #expect(log.userId == someone.user.id && log.deviceId == someone.account.rawValue && !log.decoy)
            }
        }

        @Test("J9: a report ends the request, silences the phone at once and makes numbers longer for a day")
        func report() async throws {
            try await FlowStack.withTenant { stack, tenant in
                let someone = try await tenant.someone()
                let (page, log) = try await Self.outcome(tenant, someone) { request in
                    let challenge = try await someone.phone.challenge(request.id, someone.account)
                    #expect(try await someone.phone.authenticator.report(challenge) == .denied(.reported))
                }
                #expect(page.reason == "reported" && log.reason == "reported")
                let next = try await tenant.application.begin(someone.name)
                #expect(next.number.count == 3)
                #expect(try await tenant.administrator.logged(next).silenced)
                #expect(try await someone.phone.pendingIDs(someone.account) == [next.id], "listed, though silent")
                #expect(try await someone.phone.approve(next, someone.account) == .approved)
                await stack.advance(.seconds(24 * 3600))
                #expect(try await tenant.application.begin(someone.name).number.count == 2)
            }
        }

        @Test("J9: the first wrong number ends the request; more tries are the tenant's choice")
        func wrongNumber() async throws {
            try await FlowStack.withTenant { stack, tenant in
                let someone = try await tenant.someone()
                func wrong(_ number: String) -> String { number == "10" ? "11" : "10" }
                let (page, log) = try await Self.outcome(tenant, someone) { request in
                    let challenge = try await someone.phone.challenge(request.id, someone.account)
                    #expect(try await someone.phone.approve(challenge, wrong(request.number)) == .denied(.wrongNumber))
                }
                #expect(page.status == .denied && page.reason == "wrong_number" && log.reason == "wrong_number")

                try await tenant.administrator.changeSettings(#"{"wrongNumbersPerRequest":2}"#)
                let request = try await tenant.application.begin(someone.name)
                let challenge = try await someone.phone.challenge(request.id, someone.account)
                #expect(try await someone.phone.approve(challenge, wrong(request.number)) == .wrongNumberTryAgain)
                #expect(try await tenant.application.status(request).status == .pending)
                #expect(try await someone.phone.approve(challenge, request.number) == .approved)
            }
        }

        @Test("J9: a request that nobody answers expires by the clock, and the page and the log say so")
        func timeout() async throws {
            try await FlowStack.withTenant { stack, tenant in
                let someone = try await tenant.someone()
                let (page, log) = try await Self.outcome(tenant, someone) { request in
                    let challenge = try await someone.phone.challenge(request.id, someone.account)
                    await stack.advance(.seconds(60))
                    await #expect(throws: AuthenticatorError.expired) {
                        try await someone.phone.approve(challenge, request.number)
                    }
                }
                #expect(page.status == .expired && page.reason == nil)
                #expect(log.status == .expired && log.reason == "timeout")
                #expect(try await someone.phone.pendingIDs(someone.account) == [])
            }
        }

        @Test("a request that its application cancels disappears from the phone, and the log says so")
        func cancel() async throws {
            try await FlowStack.withTenant { stack, tenant in
                let someone = try await tenant.someone()
                let (page, log) = try await Self.outcome(tenant, someone) { request in
                    let challenge = try await someone.phone.challenge(request.id, someone.account)
                    #expect(try await tenant.application.cancel(request).status == 204)
                    #expect(try await tenant.application.cancel(request).status == 204)
                    await #expect(throws: AuthenticatorError.settled) {
                        try await someone.phone.approve(challenge, request.number)
                    }
                }
                #expect(page.status == .canceled && log.status == .canceled && log.reason == "canceled")
                #expect(try await someone.phone.pendingIDs(someone.account) == [])
            }
        }

        @Test("an approval that nobody redeems in its window is lost, and the log says so")
        func notRedeemed() async throws {
            try await FlowStack.withTenant { stack, tenant in
                let someone = try await tenant.someone()
                let request = try await tenant.application.begin(someone.name)
                try await someone.phone.approve(request, someone.account)
                await stack.advance(.seconds(59))
                #expect(try await tenant.application.status(request).status == .approved)
                await stack.advance(.seconds(1))
                #expect(try await tenant.application.status(request).status == .expired)
                let late = try await tenant.application.redeem(request)
                #expect(late.status == 410 && late.code == "expired")
                #expect(try await tenant.administrator.logged(request).reason == "not_redeemed")
            }
        }

        @Test("five requests without an answer silence the phone: the next one exists, is listed, and rings nobody")
        func budget() async throws {
            try await FlowStack.withTenant { stack, tenant in
                let someone = try await tenant.someone()
                for _ in 0..<5 {
                    let request = try await tenant.application.begin(someone.name)
                    #expect(!(try await tenant.administrator.logged(request)).silenced)
                    #expect(try await tenant.application.cancel(request).status == 204)
                }
                let silent = try await tenant.application.begin(someone.name)
                #expect(try await tenant.administrator.logged(silent).silenced)
                #expect(try await someone.phone.pendingIDs(someone.account) == [silent.id])
                #expect(try await someone.phone.approve(silent, someone.account) == .approved)
                let next = try await tenant.application.begin(someone.name)
                #expect(!(try await tenant.administrator.logged(next)).silenced, "an approval resets the count")
            }
        }
    }
}
