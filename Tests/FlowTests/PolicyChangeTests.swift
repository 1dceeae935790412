import Authenticator
import DeviceAPI
import Domain
import Testing

extension FlowTests {
    @Suite("A change of the policy or the settings is seen by the next request") struct PolicyChangeTests {
        @Test("the number's digits, the lifetime and the open requests follow the settings")
        func settings() async throws {
            try await FlowStack.withTenant { stack, tenant in
                let someone = try await tenant.someone()
                let start = ContinuousClock.now
                try await tenant.administrator.changeSettings(
                    #"{"numberDigits":4,"requestLifetimeSeconds":300,"openRequestsPerPerson":1}"#)
                #expect(ContinuousClock.now - start < .seconds(1))
                let request = try await tenant.application.begin(someone.name)
                #expect(request.number.count == 4)
                #expect(request.expiresAt - request.createdAt == .seconds(300))
                let challenge = try await someone.phone.challenge(request.id, someone.account)
                #expect(challenge.shown { _ in }.content.numberDigits == 4)
                #expect(try await tenant.administrator.logged(tenant.application.begin(someone.name)).decoy)
                #expect(try await someone.phone.approve(challenge, request.number) == .approved)
            }
        }

        @Test("codes that the policy no longer allows are wrong codes, also for requests that were open before")
        func codesOff() async throws {
            try await FlowStack.withTenant { stack, tenant in
                let someone = try await tenant.someone()
                let request = try await tenant.application.begin(someone.name, .secondFactor)
                let code = try await someone.phone.code(someone.account, on: stack)
                try await tenant.administrator.changePolicy(#"{"isSoftwareOathEnabled":false}"#)
                #expect(try await tenant.application.code(request, code).code == "invalid_code")
                #expect(try await someone.browser.me().methods == ["phoneSignIn", "push", "password"])
                try await tenant.administrator.changePolicy(#"{"isSoftwareOathEnabled":true}"#)
                #expect(try await tenant.application.code(request, code).status == 200)
            }
        }

        @Test(
            "an approval that the policy no longer allows is refused and leaves the request open; a refusal still counts"
        )
        func policyWhileOpen() async throws {
            try await FlowStack.withTenant { stack, tenant in
                let someone = try await tenant.someone()
                let request = try await tenant.application.begin(someone.name)
                let challenge = try await someone.phone.challenge(request.id, someone.account)
                try await tenant.administrator.changePolicy(#"{"state":"disabled"}"#)
                await #expect(throws: AuthenticatorError.refused) {
                    try await someone.phone.approve(challenge, request.number)
                }
                #expect(try await tenant.application.status(request).status == .pending)
                #expect(try await tenant.administrator.logged(request).reason == "policy_changed")
                #expect(try await someone.phone.authenticator.decline(challenge) == .denied(.declined))
            }
        }

        @Test("a group that a person joins decides from the next request on")
        func group() async throws {
            try await FlowStack.withTenant { stack, tenant in
                let someone = try await tenant.someone()
                let group = try await tenant.administrator.createGroup("Excluded", of: [])
                try await tenant.administrator.changePolicy(
                    #"{"excludeTargets":[{"targetType":"group","id":"\#(group.id)"}]}"#)
                let members = APIPaths.groupMembers(tenant.id, GroupID(group.id))
                for (patch, isDecoy) in [
                    (MembersPatch(add: [someone.user.id]), true), (MembersPatch(remove: [someone.user.id]), false),
                ] {
                    try await tenant.administrator.call("PATCH", members, body: patch).expect(200)
                    let request = try await tenant.application.begin(someone.name)
                    #expect(try await tenant.administrator.logged(request).decoy == isDecoy)
                }
            }
        }

        @Test("an application that was removed is refused at once, although its credentials were remembered")
        func application() async throws {
            try await FlowStack.withTenant { stack, tenant in
                let application = try await tenant.administrator.createApplication(ClientCreation(name: "Short-lived"))
                #expect(try await application.tryBegin(SignInRequest(username: "alice")).status == 201)
                let path = APIPaths.client(tenant.id, ClientID(application.id))
                #expect(try await tenant.administrator.call("DELETE", path).status == 204)
                try await stack.waitUntilCurrent(tenant.id)
                #expect(try await application.tryBegin(SignInRequest(username: "alice")).status == 401)
            }
        }

        @Test("settings out of range are refused by name, and change nothing anywhere")
        func outOfRange() async throws {
            try await FlowStack.withTenant { stack, tenant in
                let path = APIPaths.settings(tenant.id)
                let tag = try #require(try await tenant.administrator.call("GET", path).head["ETag"])
                let reply = try await tenant.administrator.call(
                    "PATCH", path, headers: [("If-Match", tag)], body: RawJSON(text: #"{"numberDigits":7}"#))
                #expect(reply.status == 422 && reply.code == "out_of_range")
                #expect(reply.problem?.members["member"] == "numberDigits")
                try await tenant.administrator.changeSettings(#"{"numberDigits":6}"#)
                let stale = try await tenant.administrator.call(
                    "PATCH", path, headers: [("If-Match", tag)], body: RawJSON(text: #"{"numberDigits":2}"#))
                #expect(stale.status == 412 && stale.code == "precondition_failed")
                #expect(try await tenant.application.begin("alice").number.count == 6)
            }
        }
    }
}
