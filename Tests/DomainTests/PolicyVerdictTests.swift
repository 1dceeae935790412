import Domain
import Testing

@Suite("The policy's verdict")
struct PolicyVerdictTests {
    private static let person = PersonID("alice")
    private static let groups: Set<GroupID> = [GroupID("staff"), GroupID("night")]

    private func policy(
        include: [AuthenticatorPolicy.IncludeTarget], exclude: [AuthenticatorPolicy.Target] = [],
        state: AuthenticatorPolicy.State = .enabled
    ) -> AuthenticatorPolicy {
        var policy = AuthenticatorPolicy.initial
        policy.state = state
        policy.includeTargets = include
        policy.excludeTargets = exclude
        return policy
    }

    private func verdict(_ policy: AuthenticatorPolicy) -> PolicyVerdict {
        policy.verdict(person: Self.person, groups: Self.groups)
    }

    @Test("a user target beats a group target, which beats all_users")
    func order() {
        let user = AuthenticatorPolicy.IncludeTarget(targetType: .user, id: "alice", authenticationMode: .push)
        let group = AuthenticatorPolicy.IncludeTarget(
            targetType: .group, id: "staff", authenticationMode: .deviceBasedPush)
        let all = AuthenticatorPolicy.IncludeTarget(targetType: .group, id: "all_users", authenticationMode: .any)
        #expect(verdict(policy(include: [all, group, user])).mode == .push)
        #expect(verdict(policy(include: [all, group])).mode == .deviceBasedPush)
        #expect(verdict(policy(include: [all])).mode == .any)
        #expect(verdict(policy(include: [])).mode == nil)
    }

    @Test("a policy is for nobody when it is off, includes nobody or excludes everybody, whoever there may be")
    func forNobody() {
        let all = AuthenticatorPolicy.IncludeTarget(targetType: .group, id: "all_users")
        let none = AuthenticatorPolicy.IncludeTarget(targetType: .group, id: GroupID.nobody.rawValue)
        let some = AuthenticatorPolicy.IncludeTarget(targetType: .user, id: "bob")
        let closed = [
            policy(include: [all], state: .disabled), policy(include: []), policy(include: [none]),
            policy(include: [all], exclude: [.allUsers]),
        ]
        for policy in closed { #expect(policy.isForNobody && verdict(policy).mode == nil) }
        let open = [
            policy(include: [all]), policy(include: [none, some]), policy(include: [some]),
            policy(include: [all], exclude: [.init(targetType: .user, id: "alice"), .nobody]),
        ]
        for policy in open { #expect(!policy.isForNobody) }
    }

    @Test("between two groups the first in the list decides")
    func firstGroup() {
        let staff = AuthenticatorPolicy.IncludeTarget(targetType: .group, id: "staff", authenticationMode: .push)
        let night = AuthenticatorPolicy.IncludeTarget(
            targetType: .group, id: "night", authenticationMode: .deviceBasedPush)
        #expect(verdict(policy(include: [staff, night])).decidingTarget?.id == "staff")
        #expect(verdict(policy(include: [night, staff])).decidingTarget?.id == "night")
    }

    @Test("the rules are told in the order in which they were asked, the deciding one last")
    func rules() {
        let all = AuthenticatorPolicy.IncludeTarget(targetType: .group, id: "all_users")
        #expect(
            verdict(policy(include: [all])).rules == [
                .init(rule: "state", result: "enabled"), .init(rule: "excludeTargets", result: "no match"),
                .init(rule: "includeTargets.user", result: "no match"),
                .init(rule: "includeTargets.group", result: "no match"),
                .init(rule: "includeTargets.all_users", result: "any by group all_users"),
            ])
        #expect(verdict(policy(include: [all], state: .disabled)).rules == [.init(rule: "state", result: "disabled")])
        #expect(
            verdict(policy(include: [all], exclude: [.init(targetType: .user, id: "alice")])).rules.last
                == .init(rule: "excludeTargets", result: "excluded by user alice"))
    }

    @Test("the sentinel for nobody covers nobody, even one who is in a group of that name")
    func nobody() {
        let policy = policy(
            include: [.init(targetType: .group, id: "all_users")], exclude: [.nobody])
        #expect(policy.verdict(person: Self.person, groups: [.nobody]).mode == .any)
    }

    @Test("a feature is shown by default, to whom it includes and not to whom it excludes")
    func features() {
        var policy = AuthenticatorPolicy.initial
        #expect(verdict(policy).showsApplication && verdict(policy).showsLocation)
        policy.featureSettings.displayAppInformationRequiredState.state = .disabled
        #expect(!verdict(policy).showsApplication)
        policy.featureSettings.displayLocationInformationRequiredState.excludeTarget = .init(
            targetType: .group, id: "night")
        #expect(!verdict(policy).showsLocation)
        policy.featureSettings.displayLocationInformationRequiredState.excludeTarget = .nobody
        policy.featureSettings.displayLocationInformationRequiredState.includeTarget = .init(
            targetType: .user, id: "bob")
        #expect(!verdict(policy).showsLocation)
    }

    @Test("what a mode lets reach a phone")
    func factors() {
        func allowed(_ mode: AuthenticationMode?) -> [Bool] {
            let include =
                mode.map { [AuthenticatorPolicy.IncludeTarget(targetType: .user, id: "alice", authenticationMode: $0)] }
                ?? []
            let verdict = verdict(policy(include: include))
            return [verdict.allowsPush(.passwordless), verdict.allowsPush(.secondFactor), verdict.allowsCodes]
        }
        #expect(allowed(.any) == [true, true, true])
        #expect(allowed(.push) == [false, true, true])
        #expect(allowed(.deviceBasedPush) == [true, false, true])
        #expect(allowed(nil) == [false, false, false])
    }

    @Test("over every policy of a small world: exclude beats include, and the order of deciding targets holds")
    func exhaustive() {
        let targets: [AuthenticatorPolicy.Target] = [
            .init(targetType: .user, id: "alice"), .init(targetType: .user, id: "bob"),
            .init(targetType: .group, id: "staff"),
            .init(targetType: .group, id: "night"), .init(targetType: .group, id: "others"), .allUsers, .nobody,
        ]
        let rank: [AuthenticatorPolicy.Target: Int] = [targets[0]: 0, targets[2]: 1, targets[3]: 1, .allUsers: 2]
        let subsets = 1 << targets.count
        for includeBits in 0..<subsets {
            // Both directions of the list, so that "first" is not "lowest".
            for reversed in [false, true] {
                var included = targets.indices.filter { includeBits >> $0 & 1 == 1 }.map { targets[$0] }
                if reversed { included.reverse() }
                let expected = included.filter { rank[$0] != nil }.enumerated().min {
                    (rank[$0.element] ?? 9, $0.offset) < (rank[$1.element] ?? 9, $1.offset)
                }?.element
                for excludeBits in 0..<subsets {
                    let excluded = targets.indices.filter { excludeBits >> $0 & 1 == 1 }.map { targets[$0] }
                    let verdict = verdict(
                        policy(include: included.map { .init(targetType: $0.targetType, id: $0.id) }, exclude: excluded)
                    )
                    let excluding = excluded.first { rank[$0] != nil }
                    guard verdict.decidingTarget == excluding ?? expected,
                        (verdict.mode == nil) == (excluding != nil || expected == nil)
                    else {
                        Issue.record("include \(included) exclude \(excluded) gave \(verdict)")
                        return
                    }
                }
            }
        }
    }
}
