import Authenticator
import DeviceAPI
import Domain
import Testing

extension FlowTests {
    @Suite("J10 to J12: disabling, a new phone, an old app") struct JourneyDeviceTests {
        @Test("one phone with nine accounts hears of a request of each at once, and answers it while all are followed")
        func manyAccounts() async throws {
            try await FlowStack.withTenant { stack, tenant in
                let phone = Phone(stack)
                var streams: [(name: String, events: AsyncThrowingStream<AuthenticatorEvent, any Error>)] = []
                for index in 0..<9 {
                    let someone = try await tenant.someone("person\(index)", phone: phone, phoneSignIn: false)
                    streams.append((someone.name, phone.authenticator.events(someone.account)))
                }
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for (name, stream) in streams {
                        group.addTask {
                            var events = stream.makeAsyncIterator()
                            #expect(try await events.next() == .connected)
                            let request = try await tenant.application.begin(name, .secondFactor)
                            let challenge = try #require(try await events.next()?.challenge)
                            #expect(challenge.id == request.id)
                            #expect(try await phone.approve(challenge, request.number) == .approved)
                            #expect(try await events.next() == .settled(id: request.id, status: "approved"))
                            #expect(try await tenant.application.redeemed(request).user.username == name)
                        }
                    }
                    try await group.waitForAll()
                }
            }
        }

        @Test("J10: phone sign-in disabled on the phone leaves the account for second-factor requests and codes")
        func disable() async throws {
            try await FlowStack.withTenant { stack, tenant in
                let someone = try await tenant.someone()
                let phone = someone.phone
                try await phone.authenticator.disablePhoneSignIn(someone.account)
                #expect(!(try await phone.authenticator.phoneSignInStatus(someone.account)).isEnabled)
                let device = try #require(try await someone.browser.me().devices.first)
                #expect(device.phoneSignIn == PhoneSignInMethod(createdDateTime: nil, device: nil))

                let passwordless = try await tenant.application.begin(someone.name)
                let second = try await tenant.application.begin(someone.name, .secondFactor)
                #expect(try await phone.pendingIDs(someone.account) == [second.id])
                #expect(try await tenant.administrator.logged(passwordless).reason == "no_device")
                #expect(try await phone.approve(second, someone.account) == .approved)
                let third = try await tenant.application.begin(someone.name, .secondFactor)
                let code = try await phone.code(someone.account, on: stack)
                #expect(try await tenant.application.code(third, code).status == 200)
            }
        }

        @Test("J10: disabling phone sign-in ends the request that only it could answer")
        func disableWhileOpen() async throws {
            try await FlowStack.withTenant { stack, tenant in
                let someone = try await tenant.someone()
                let request = try await tenant.application.begin(someone.name)
                let challenge = try await someone.phone.challenge(request.id, someone.account)
                try await someone.phone.authenticator.disablePhoneSignIn(someone.account)
                await #expect(throws: AuthenticatorError.self) {
                    try await someone.phone.approve(challenge, request.number)
                }
                #expect(try await tenant.application.status(request).status == .canceled)
            }
        }

        @Test("J10: a device that its person or an administrator removes is unknown at once, and its stream ends")
        func removed() async throws {
            try await FlowStack.withTenant { stack, tenant in
                for byAdministrator in [false, true] {
                    let someone = try await tenant.someone(byAdministrator ? "alice" : "bob")
                    var events = someone.phone.authenticator.events(someone.account).makeAsyncIterator()
                    #expect(try await events.next() == .connected)
                    let request = try await tenant.application.begin(someone.name)
                    let device = DeviceID(someone.account.rawValue)
                    let reply =
                        byAdministrator
                        ? try await tenant.administrator.call(
                            "DELETE", APIPaths.userDevice(tenant.id, PersonID(someone.user.id), device))
                        : try await someone.browser.call("DELETE", APIPaths.myDevice(tenant.id, device))
                    #expect(reply.status == 204)
                    #expect(try await tenant.application.status(request).status == .canceled)
                    #expect(try await tenant.administrator.logged(request).reason == "device_removed")
                    await #expect(throws: AuthenticatorError.notAuthenticated) {
                        try await someone.phone.authenticator.pending(someone.account)
                    }
                    #expect(try await someone.browser.me().devices == [])
                    await #expect(throws: AuthenticatorError.notAuthenticated) {
                        while try await events.next() != nil {}
                    }
                }
            }
        }

        @Test("J11: a person without a phone gets one by a Temporary Access Pass, and sets it up without a second pass")
        func byPass() async throws {
            try await FlowStack.withTenant { stack, tenant in
                let user = try await tenant.administrator.createUser("alice")
                let pass = try await tenant.administrator.issuePass(user)
                #expect(pass.temporaryAccessPass.count == 8 && pass.usableOnce)
                let browser = tenant.browser()
                try await browser.signIn(
                    SessionRequest(username: "alice", temporaryAccessPass: pass.temporaryAccessPass))
                let phone = Phone(stack)
                let account = try await phone.register(in: browser)
                try await phone.setUpPhoneSignIn(account, with: .activationSession)
                let request = try await tenant.application.begin("alice")
                #expect(try await phone.approve(request, account) == .approved)

                // One device only.
                let another = Phone(stack)
                let second = try await another.register(in: browser)
                await #expect(throws: AuthenticatorError.invalidCredentials) {
                    try await another.authenticator.setUpPhoneSignIn(second, with: .activationSession)
                }
            }
        }

        @Test("J11: a lost phone is replaced by a pass although the person has an active device")
        func byPassWithLostPhone() async throws {
            try await FlowStack.withTenant { stack, tenant in
                let someone = try await tenant.someone()
                let pass = try await tenant.administrator.issuePass(someone.user)
                let browser = tenant.browser()
                try await browser.signIn(
                    SessionRequest(username: someone.name, temporaryAccessPass: pass.temporaryAccessPass))
                let phone = Phone(stack)
                let account = try await phone.register(in: browser)
                try await phone.setUpPhoneSignIn(account, with: .activationSession)
                let lost = DeviceID(someone.account.rawValue)
                #expect(try await browser.call("DELETE", APIPaths.myDevice(tenant.id, lost)).status == 204)
                #expect(try await browser.me().devices.map(\.id) == [account.rawValue])
            }
        }

        @Test(
            "J11: the old phone approves the session in which the new one is added, in the browser that asked and in no other"
        )
        func byOldPhone() async throws {
            try await FlowStack.withTenant { stack, tenant in
                let someone = try await tenant.someone()
                let browser = tenant.browser()
                let request = try await browser.start(
                    SessionRequest(username: someone.name, password: Tenancy.password)
                ).body(SessionSignIn.self, status: 202).signIn
                #expect(try await browser.complete(request).code == "not_approved")
                let challenge = try await someone.phone.challenge(request.id, someone.account)
                #expect(challenge.purpose == .secondFactor)
                #expect(try await someone.phone.approve(challenge, request.number) == .approved)
                #expect(try await tenant.browser().complete(request).code == "refused")
                #expect(try await tenant.application.redeem(request).status == 404)
                #expect(try await browser.complete(request).status == 200)
                try await Phone(stack).register(in: browser)
                #expect(try await browser.me().devices.count == 2)
            }
        }

        @Test("J11: a session starts with the phone alone, and ends when the person ends it")
        func passwordlessSession() async throws {
            try await FlowStack.withTenant { stack, tenant in
                let someone = try await tenant.someone()
                let browser = tenant.browser()
                let request = try await browser.start(SessionRequest(username: someone.name))
                    .body(SessionSignIn.self, status: 202).signIn
                #expect(try await someone.phone.approve(request, someone.account) == .approved)
                #expect(try await browser.complete(request).status == 200)
                #expect(try await browser.me().person.username == someone.name)
                #expect(try await browser.call("DELETE", APIPaths.session(tenant.id)).status == 204)
                #expect(try await browser.call("GET", APIPaths.me(tenant.id)).status == 401)
            }
        }

        @Test("J12: an older system is refused at activation; one that became too old is told so and never approves")
        func oldSystem() async throws {
            try await FlowStack.withTenant { stack, tenant in
                let someone = try await tenant.someone()
                let old = Phone(
                    stack, profile: .init(name: "Old", platform: .android, osVersion: "5.1.1", appVersion: "1.0"))
                let activation = try await someone.browser.newActivation()
                await #expect(throws: AuthenticatorError.updateRequired(minimum: "6.0")) {
                    try await old.activate(activation)
                }
                // The ticket was not used by it.
                #expect(try await browserState(someone, activation) == .waiting)

                try await tenant.administrator.changeSettings(#"{"minimumVersions":{"ios":{"os":"17.2","app":"1.1"}}}"#)
                let request = try await tenant.application.begin(someone.name)
                await #expect(throws: AuthenticatorError.updateRequired(minimum: "1.1")) {
                    try await someone.phone.approve(request, someone.account)
                }
                #expect(try await tenant.application.status(request).status == .pending)
                #expect(try await tenant.administrator.logged(request).reason == "update_required")
                try await someone.phone.authenticator.update(someone.account, to: DeviceUpdate(appVersion: "1.1"))
                #expect(try await someone.phone.approve(request, someone.account) == .approved)
            }
        }

        @Test("J12: an old app can still decline and report")
        func oldAppDeclines() async throws {
            try await FlowStack.withTenant { stack, tenant in
                let someone = try await tenant.someone()
                try await tenant.administrator.changeSettings(#"{"minimumVersions":{"ios":{"app":"9"}}}"#)
                let first = try await tenant.application.begin(someone.name)
                let declined = try await someone.phone.challenge(first.id, someone.account)
                #expect(try await someone.phone.authenticator.decline(declined) == .denied(.declined))
                let second = try await tenant.application.begin(someone.name)
                let reported = try await someone.phone.challenge(second.id, someone.account)
                #expect(try await someone.phone.authenticator.report(reported) == .denied(.reported))
            }
        }

        private func browserState(_ someone: Someone, _ activation: ActivationCreated) async throws -> ActivationState {
            try await someone.browser.progress(activation).state
        }
    }
}
