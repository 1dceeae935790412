import Authenticator
import DeviceAPI
import Domain
import TestSupport
import Testing

extension FlowTests {
    @Suite("J3 to J5: registering and setting up") struct JourneyRegistrationTests {
        @Test("J3: a phone registers by QR code and number; before J4 the method has no date and no device")
        func register() async throws {
            try await FlowStack.withTenant { stack, tenant in
                let (user, browser) = try await tenant.person("alice")
                #expect(try await browser.me().devices == [])
                let activation = try await browser.newActivation()
                let phone = Phone(stack)
                let account = try await phone.activate(activation)
                #expect(account.state == .awaitingConfirmation && account.username == "alice")
                #expect(account.tenantName == "Demo")
                let progress = try await browser.progress(activation, wait: 25)
                #expect(progress.state == .confirming && progress.deviceId == nil)

                async let page = browser.progress(activation, wait: 25, past: .confirming)
                let request = try #require(try await phone.authenticator.pending(account.id).first)
                #expect(try await phone.approve(request, try #require(progress.number)) == .approved)
                let done = try await page
                #expect(done.state == .active && done.deviceId == account.id.rawValue && done.number == nil)

                let device = try #require(try await browser.me().devices.first)
                #expect(device.state == .active && device.id == account.id.rawValue)
                #expect(device.phoneSignIn == PhoneSignInMethod(createdDateTime: nil, device: nil))
                #expect(try await tenant.administrator.devices(of: user) == [device])
                #expect(try await browser.me().methods == ["push", "code", "password"])
                let status = try await phone.authenticator.phoneSignInStatus(account.id)
                #expect(!status.isEnabled && status.enabledAt == nil)
            }
        }

        @Test(
            "J3: until the number is confirmed the phone may only list, listen and answer, and its codes are not accepted"
        )
        func unconfirmed() async throws {
            try await FlowStack.withTenant { stack, tenant in
                let (_, browser) = try await tenant.person("alice")
                let phone = Phone(stack)
                let account = try await phone.activate(try await browser.newActivation())
                await #expect(throws: AuthenticatorError.refused) {
                    try await phone.authenticator.setUpPhoneSignIn(account.id, with: .password(Tenancy.password))
                }
                let request = try await tenant.application.begin("alice", .secondFactor)
                let code = try await phone.code(account.id, on: stack)
                #expect(try await tenant.application.code(request, code).code == "invalid_code")
                #expect(try await tenant.administrator.logged(request).decoy)
            }
        }

        @Test("J3: a wrong number ends the activation, and the device with it")
        func wrongNumber() async throws {
            try await FlowStack.withTenant { stack, tenant in
                let (_, browser) = try await tenant.person("alice")
                let activation = try await browser.newActivation()
                let phone = Phone(stack)
                let account = try await phone.activate(activation)
                let number = try #require(try await browser.progress(activation, wait: 25).number)
                let request = try #require(try await phone.authenticator.pending(account.id).first)
                let stale = try phone.wire.last("GET", endingIn: "/challenges")
                #expect(try await phone.approve(request, number == "10" ? "11" : "10") == .denied(.wrongNumber))
                #expect(try await browser.progress(activation).state == .expired)
                #expect(try await browser.me().devices == [])
                #expect(try await phone.wire.replay(stale).status == 401)
                #expect(try await phone.authenticator.accounts() == [])
            }
        }

        @Test("J4: phone sign-in is set up with the password and the number, and has its date and device then")
        func setUp() async throws {
            try await FlowStack.withTenant { stack, tenant in
                let someone = try await tenant.someone(phoneSignIn: false)
                let authenticator = someone.phone.authenticator
                await #expect(throws: AuthenticatorError.invalidCredentials) {
                    try await authenticator.setUpPhoneSignIn(someone.account, with: .password("wrong"))
                }
                let before = try await tenant.application.begin(someone.name)
                #expect(try await tenant.administrator.logged(before).reason == "no_device")
                try await someone.phone.setUpPhoneSignIn(someone.account, with: .password(Tenancy.password))

                #expect(try await authenticator.phoneSignInStatus(someone.account).isEnabled)
                let method = try #require(try await someone.browser.me().devices.first).phoneSignIn
                #expect(method.createdDateTime == stack.clock.now)
                #expect(method.device == PhoneSignInDevice(id: someone.account.rawValue, name: "Phone"))
                #expect(try await someone.browser.me().defaultMethod == .phoneSignIn)
                let after = try await tenant.application.begin(someone.name)
                #expect(try await someone.phone.pendingIDs(someone.account) == [after.id])
            }
        }

        @Test("J4: a wrong number leaves phone sign-in off, and it can be begun again")
        func setUpWrongNumber() async throws {
            try await FlowStack.withTenant { stack, tenant in
                let someone = try await tenant.someone(phoneSignIn: false)
                let phone = someone.phone
                let setup = try await phone.authenticator.setUpPhoneSignIn(
                    someone.account, with: .password(Tenancy.password))
                let request = try await phone.challenge(setup.challengeID, someone.account)
                let wrong = setup.number == "10" ? "11" : "10"
                #expect(try await phone.approve(request, wrong) == .denied(.wrongNumber))
                #expect(!(try await phone.authenticator.phoneSignInStatus(someone.account)).isEnabled)
                try await phone.setUpPhoneSignIn(someone.account, with: .password(Tenancy.password))
                #expect(try await phone.authenticator.phoneSignInStatus(someone.account).isEnabled)
            }
        }

        @Test("J5: one key has phone sign-in in one tenant; a second attempt names the rule; a setting lifts it")
        func oneTenant() async throws {
            try await FlowStack.withTenant { stack, first in
                let second = try await stack.tenant("second")
                let someone = try await first.someone()
                let (_, browser) = try await second.person("alice")
                let there = try await someone.phone.register(in: browser)
                #expect(there != someone.account)
                await #expect(throws: AuthenticatorError.singleTenant) {
                    try await someone.phone.authenticator.setUpPhoneSignIn(there, with: .password(Tenancy.password))
                }
                let refused = try await someone.phone.wire.replay(
                    try someone.phone.wire.last("POST", endingIn: "/phone-sign-in"))
                #expect(refused.status == 401, "the proof was used")

                // The other registration stays good for everything else.
                let request = try await second.application.begin("alice", .secondFactor)
                #expect(try await someone.phone.approve(request, there) == .approved)

                try await second.administrator.changeSettings(#"{"phoneSignInInSeveralTenants":true}"#)
                try await someone.phone.setUpPhoneSignIn(there, with: .password(Tenancy.password))
                for (tenant, account) in [(first, someone.account), (second, there)] {
                    let request = try await tenant.application.begin("alice")
                    #expect(try await someone.phone.approve(request, account) == .approved)
                }
            }
        }

        @Test("J5: giving phone sign-in up in one tenant makes the phone free for another")
        func oneTenantAfterAnother() async throws {
            try await FlowStack.withTenant { stack, first in
                let second = try await stack.tenant("second")
                let someone = try await first.someone()
                let there = try await someone.phone.register(in: try await second.person("alice").1)
                try await someone.phone.authenticator.disablePhoneSignIn(someone.account)
                try await someone.phone.setUpPhoneSignIn(there, with: .password(Tenancy.password))
                await #expect(throws: AuthenticatorError.singleTenant) {
                    try await someone.phone.authenticator.setUpPhoneSignIn(
                        someone.account, with: .password(Tenancy.password))
                }
            }
        }
    }
}
