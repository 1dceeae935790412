/// The method policy of one tenant, in the shape of Microsoft Graph's `microsoftAuthenticatorAuthenticationMethodConfiguration`.
package struct AuthenticatorPolicy: Hashable, Sendable, Codable {
    package enum State: String, Sendable, Codable, CaseIterable { case enabled, disabled }
    package enum TargetType: String, Sendable, Codable, CaseIterable { case user, group }

    package struct Target: Hashable, Sendable, Codable {
        package var targetType: TargetType
        package var id: String
        package init(targetType: TargetType, id: String) {
            self.targetType = targetType
            self.id = id
        }
        package static let allUsers = Target(targetType: .group, id: GroupID.allUsers.rawValue)
        package static let nobody = Target(targetType: .group, id: GroupID.nobody.rawValue)
    }

    package struct IncludeTarget: Hashable, Sendable, Codable {
        package var targetType: TargetType
        package var id: String
        package var isRegistrationRequired: Bool
        package var authenticationMode: AuthenticationMode
        package init(
            targetType: TargetType, id: String, isRegistrationRequired: Bool = false,
            authenticationMode: AuthenticationMode = .any
        ) {
            self.targetType = targetType
            self.id = id
            self.isRegistrationRequired = isRegistrationRequired
            self.authenticationMode = authenticationMode
        }
        package var target: Target { Target(targetType: targetType, id: id) }
    }

    /// `default` leaves the choice to this product: see `FeatureSettings`.
    package enum FeatureState: String, Sendable, Codable, CaseIterable { case `default`, enabled, disabled }

    package struct Feature: Hashable, Sendable, Codable {
        package var state: FeatureState
        package var includeTarget: Target
        package var excludeTarget: Target
        package init(state: FeatureState, includeTarget: Target = .allUsers, excludeTarget: Target = .nobody) {
            self.state = state
            self.includeTarget = includeTarget
            self.excludeTarget = excludeTarget
        }
    }

    package struct FeatureSettings: Hashable, Sendable, Codable {
        /// The application's name on the phone. `default` means shown.
        package var displayAppInformationRequiredState: Feature
        /// The place and address of the request on the phone. `default` means shown.
        package var displayLocationInformationRequiredState: Feature
        /// Kept as given, without effect: there is no companion app.
        package var companionAppAllowedState: Feature?
        /// Kept as given, without effect: a number is always asked for.
        package var numberMatchingRequiredState: Feature?
        package init(
            displayAppInformationRequiredState: Feature, displayLocationInformationRequiredState: Feature,
            companionAppAllowedState: Feature? = nil, numberMatchingRequiredState: Feature? = nil
        ) {
            self.displayAppInformationRequiredState = displayAppInformationRequiredState
            self.displayLocationInformationRequiredState = displayLocationInformationRequiredState
            self.companionAppAllowedState = companionAppAllowedState
            self.numberMatchingRequiredState = numberMatchingRequiredState
        }
    }

    package var state: State
    /// Whether offline codes may be used.
    package var isSoftwareOathEnabled: Bool
    package var excludeTargets: [Target]
    package var featureSettings: FeatureSettings
    package var includeTargets: [IncludeTarget]

    package init(
        state: State, isSoftwareOathEnabled: Bool, excludeTargets: [Target], featureSettings: FeatureSettings,
        includeTargets: [IncludeTarget]
    ) {
        self.state = state
        self.isSoftwareOathEnabled = isSoftwareOathEnabled
        self.excludeTargets = excludeTargets
        self.featureSettings = featureSettings
        self.includeTargets = includeTargets
    }

    /// What a new tenant starts with: everybody, any mode, codes, the application's name shown.
    package static let initial = AuthenticatorPolicy(
        state: .enabled, isSoftwareOathEnabled: true, excludeTargets: [],
        featureSettings: FeatureSettings(
            displayAppInformationRequiredState: Feature(state: .enabled),
            displayLocationInformationRequiredState: Feature(state: .default)),
        includeTargets: [IncludeTarget(targetType: .group, id: GroupID.allUsers.rawValue)])
}
