/// What a tenant's policy lets one person do, and why.
package struct PolicyVerdict: Hashable, Sendable {
    package struct Rule: Hashable, Sendable {
        package let rule: String
        package let result: String

        package init(rule: String, result: String) {
            self.rule = rule
            self.result = result
        }
    }

    /// Nil when the person may not use the authenticator at all.
    package let mode: AuthenticationMode?
    package let decidingTarget: AuthenticatorPolicy.Target?
    package let showsApplication: Bool
    package let showsLocation: Bool
    /// Whether offline codes may be used.
    package let allowsCodes: Bool
    /// The rules in the order in which they were asked, the deciding one last.
    package let rules: [Rule]

    /// Whether a request with this factor may reach this person's phones.
    package func allowsPush(_ factor: Factor) -> Bool {
        switch factor {
        case .passwordless: mode == .any || mode == .deviceBasedPush
        case .secondFactor: mode == .any || mode == .push
        }
    }
}

extension AuthenticatorPolicy {
    /// Whether it lets nobody use the authenticator, whoever there may be: what follows from the policy alone tells nothing of a person.
    package var isForNobody: Bool {
        state == .disabled || excludeTargets.contains(.allUsers) || includeTargets.allSatisfy { $0.target == .nobody }
    }

    /// Exclude beats include; a user target beats a group target, which beats `all_users`; between two groups the first in the
    /// list decides.
    package func verdict(person: PersonID, groups: Set<GroupID>) -> PolicyVerdict {
        func covers(_ target: Target) -> Bool {
            // The sentinel names nobody, whatever a directory may contain.
            if target == .nobody { return false }
            return switch target.targetType {
            case .user: target.id == person.rawValue
            case .group: target.id == GroupID.allUsers.rawValue || groups.contains(GroupID(target.id))
            }
        }
        func shown(_ feature: Feature) -> Bool {
            feature.state != .disabled && covers(feature.includeTarget) && !covers(feature.excludeTarget)
        }

        var rules: [PolicyVerdict.Rule] = []
        func verdict(_ mode: AuthenticationMode?, _ target: Target?) -> PolicyVerdict {
            PolicyVerdict(
                mode: mode, decidingTarget: target,
                showsApplication: shown(featureSettings.displayAppInformationRequiredState),
                showsLocation: shown(featureSettings.displayLocationInformationRequiredState),
                allowsCodes: mode != nil && isSoftwareOathEnabled, rules: rules)
        }

        rules.append(.init(rule: "state", result: state.rawValue))
        guard state == .enabled else { return verdict(nil, nil) }

        let excluded = excludeTargets.first(where: covers)
        rules.append(
            .init(
                rule: "excludeTargets",
                result: excluded.map { "excluded by \($0.targetType.rawValue) \($0.id)" } ?? "no match"))
        if let excluded { return verdict(nil, excluded) }

        let steps: [(String, (IncludeTarget) -> Bool)] = [
            ("includeTargets.user", { $0.targetType == .user }),
            ("includeTargets.group", { $0.targetType == .group && $0.id != GroupID.allUsers.rawValue }),
            ("includeTargets.all_users", { $0.targetType == .group && $0.id == GroupID.allUsers.rawValue }),
        ]
        for (name, applies) in steps {
            if let match = includeTargets.first(where: { applies($0) && covers($0.target) }) {
                rules.append(
                    .init(
                        rule: name,
                        result: "\(match.authenticationMode.rawValue) by \(match.targetType.rawValue) \(match.id)"))
                return verdict(match.authenticationMode, match.target)
            }
            rules.append(.init(rule: name, result: "no match"))
        }
        return verdict(nil, nil)
    }
}
