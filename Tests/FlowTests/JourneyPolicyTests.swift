import Authenticator
import DeviceAPI
import Domain
import Testing

extension FlowTests {
    @Suite("J1 and J2: enabling the method") struct JourneyPolicyTests {
        @Test(
            "J1: disabling the method is in force in every service within a second, without a restart, and so is enabling it"
        )
        func disableAndEnable() async throws {
            try await FlowStack.withTenant { stack, tenant in
                let someone = try await tenant.someone()
                for (state, isReached) in [("disabled", false), ("enabled", true)] {
                    let start = ContinuousClock.now
                    try await tenant.administrator.changePolicy(#"{"state":"\#(state)"}"#)
                    #expect(ContinuousClock.now - start < .seconds(1))
                    let request = try await tenant.application.begin(someone.name)
                    let ids = try await someone.phone.pendingIDs(someone.account)
                    #expect(ids.contains(request.id) == isReached)
                    let log = try await tenant.administrator.logged(request)
                    #expect(log.decoy == !isReached && log.reason == (isReached ? nil : "outside_policy"))
                }
            }
        }

        @Test("J1: exclude beats include, and the explanation says so")
        func exclude() async throws {
            try await FlowStack.withTenant { stack, tenant in
                let someone = try await tenant.someone()
                #expect(try await tenant.administrator.explain(someone.name).mode == "any")
                try await tenant.administrator.changePolicy(
                    #"{"excludeTargets":[{"targetType":"user","id":"\#(someone.user.id)"}]}"#)
                let request = try await tenant.application.begin(someone.name)
                #expect(try await someone.phone.pendingIDs(someone.account) == [])
                #expect(try await tenant.administrator.logged(request).reason == "outside_policy")
                let explained = try await tenant.administrator.explain(someone.name)
                #expect(explained.mode == nil)
                #expect(explained.decidingTarget == ExplainedTarget(targetType: "user", id: someone.user.id))
            }
        }

        @Test("J1: selected users and groups are reached, everybody else is not")
        func selected() async throws {
            try await FlowStack.withTenant { stack, tenant in
                let (alice, bob, carol) = (
                    try await tenant.someone("alice"), try await tenant.someone("bob"),
                    try await tenant.someone("carol")
                )
                let group = try await tenant.administrator.createGroup("Selected", of: [bob.user])
                try await tenant.administrator.changePolicy(
                    Self.include([("user", alice.user.id, "any"), ("group", group.id, "any")]))
                for (someone, isReached) in [(alice, true), (bob, true), (carol, false)] {
                    let request = try await tenant.application.begin(someone.name)
                    #expect(try await someone.phone.pendingIDs(someone.account).contains(request.id) == isReached)
                }
            }
        }

        @Test("J2: push prevents the passwordless credential, deviceBasedPush prevents push as a second factor")
        func modes() async throws {
            try await FlowStack.withTenant { stack, tenant in
                let someone = try await tenant.someone()
                let group = try await tenant.administrator.createGroup("Group", of: [someone.user])
                for (mode, reaching) in [("push", Factor.secondFactor), ("deviceBasedPush", .passwordless)] {
                    try await tenant.administrator.changePolicy(
                        Self.include([("group", "all_users", "any"), ("group", group.id, mode)]))
                    for factor in Factor.allCases {
                        let request = try await tenant.application.begin(someone.name, factor)
                        let ids = try await someone.phone.pendingIDs(someone.account)
                        #expect(ids.contains(request.id) == (factor == reaching), "\(mode), \(factor)")
                        #expect(try await tenant.application.cancel(request).status == 204)
                    }
                }
            }
        }

        @Test("J2: in mode push phone sign-in cannot be set up at all")
        func pushPreventsSetUp() async throws {
            try await FlowStack.withTenant { stack, tenant in
                let someone = try await tenant.someone(phoneSignIn: false)
                try await tenant.administrator.changePolicy(Self.include([("group", "all_users", "push")]))
                await #expect(throws: AuthenticatorError.refused) {
                    try await someone.phone.authenticator.setUpPhoneSignIn(
                        someone.account, with: .password(Tenancy.password))
                }
                try await tenant.administrator.changePolicy(Self.include([("group", "all_users", "any")]))
                try await someone.phone.setUpPhoneSignIn(someone.account, with: .password(Tenancy.password))
            }
        }

        @Test("J2: a person's own target decides before a group's, and the first of two groups before the second")
        func decidingTarget() async throws {
            try await FlowStack.withTenant { stack, tenant in
                let user = try await tenant.administrator.createUser("alice")
                let first = try await tenant.administrator.createGroup("First", of: [user])
                let second = try await tenant.administrator.createGroup("Second", of: [user])
                let groups = [("group", first.id, "push"), ("group", second.id, "deviceBasedPush")]
                try await tenant.administrator.changePolicy(Self.include(groups))
                #expect(try await tenant.administrator.explain("alice").mode == "push")
                try await tenant.administrator.changePolicy(Self.include(groups + [("user", user.id, "any")]))
                let explained = try await tenant.administrator.explain("alice")
                #expect(explained.mode == "any" && explained.decidingTarget?.id == user.id)
            }
        }

        static func include(_ targets: [(type: String, id: String, mode: String)]) -> String {
            let list = targets.map {
                #"{"targetType":"\#($0.type)","id":"\#($0.id)","isRegistrationRequired":false,"#
                    + #""authenticationMode":"\#($0.mode)"}"#
            }
            return #"{"includeTargets":[\#(list.joined(separator: ","))]}"#
        }
    }
}
