/// The limits of one tenant: one member a rule. Durations carry their unit in the name, as on the wire.
package struct TenantSettings: Hashable, Sendable, Codable {
    package enum Profile: String, Sendable, Codable, CaseIterable {
        case standard
        /// NIST SP 800-63B-4 section 3.1.3: a transferred secret of 6 digits, user verification at every use, and 100 failures in
        /// a row disable a device until it is bound again.
        case nist80063b4 = "nist-800-63b-4"
    }

    package struct MinimumVersion: Hashable, Sendable, Codable {
        package var os: String?
        package var app: String?
        package init(os: String? = nil, app: String? = nil) {
            self.os = os
            self.app = app
        }
    }

    package var numberDigits = 2
    package var wrongNumbersPerRequest = 1
    package var requestLifetimeSeconds = 60
    package var redeemWindowSeconds = 60
    package var openRequestsPerPerson = 3
    package var requestBudget = 5
    package var requestBudgetWindowMinutes = 10
    package var silenceMinutes = 30
    package var notificationsPerRequest = 3
    package var devicesPerPerson = 5
    package var activationLifetimeMinutes = 10
    package var activationsPerPerson = 5
    package var temporaryAccessPassLength = 8
    package var temporaryAccessPassLifetimeMinutes = 60
    package var offlineCodeAlgorithm = CodeAlgorithm.sha1
    package var offlineCodeDigits = 6
    package var offlineCodePeriodSeconds = 30
    package var offlineCodeWindowSteps = 1
    package var offlineCodeAlone = false
    package var wrongCodesBeforeDelay = 3
    package var wrongCodeDelayMinutes = 2
    package var wrongCodesBeforeLock = 10
    package var clockSkewSeconds = 60
    package var minimumVersions: [String: MinimumVersion] = [
        "ios": MinimumVersion(os: "8.0"), "android": MinimumVersion(os: "6.0"),
    ]
    package var profile = Profile.standard
    package var phoneSignInInSeveralTenants = false

    package init() {}

    /// The number members and their ranges, for validation and for the API document.
    package static let ranges:
        [(member: String, path: any WritableKeyPath<TenantSettings, Int> & Sendable, range: ClosedRange<Int>)] = [
            ("numberDigits", \.numberDigits, 2...6),
            ("wrongNumbersPerRequest", \.wrongNumbersPerRequest, 1...3),
            ("requestLifetimeSeconds", \.requestLifetimeSeconds, 30...300),
            ("redeemWindowSeconds", \.redeemWindowSeconds, 10...300),
            ("openRequestsPerPerson", \.openRequestsPerPerson, 1...5),
            ("requestBudget", \.requestBudget, 1...50),
            ("requestBudgetWindowMinutes", \.requestBudgetWindowMinutes, 1...120),
            ("silenceMinutes", \.silenceMinutes, 1...120),
            ("notificationsPerRequest", \.notificationsPerRequest, 1...3),
            ("devicesPerPerson", \.devicesPerPerson, 1...15),
            ("activationLifetimeMinutes", \.activationLifetimeMinutes, 1...2880),
            ("activationsPerPerson", \.activationsPerPerson, 1...5),
            ("temporaryAccessPassLength", \.temporaryAccessPassLength, 8...48),
            ("temporaryAccessPassLifetimeMinutes", \.temporaryAccessPassLifetimeMinutes, 10...43_200),
            ("offlineCodeDigits", \.offlineCodeDigits, 6...8),
            ("offlineCodePeriodSeconds", \.offlineCodePeriodSeconds, 30...60),
            ("offlineCodeWindowSteps", \.offlineCodeWindowSteps, 0...1),
            ("wrongCodesBeforeDelay", \.wrongCodesBeforeDelay, 1...7),
            ("wrongCodeDelayMinutes", \.wrongCodeDelayMinutes, 1...60),
            ("wrongCodesBeforeLock", \.wrongCodesBeforeLock, 5...100),
            ("clockSkewSeconds", \.clockSkewSeconds, 10...300),
        ]

    /// Of one of the number members.
    package static func range(of path: KeyPath<TenantSettings, Int>) -> ClosedRange<Int> {
        guard let rule = ranges.first(where: { $0.path as AnyKeyPath == path }) else {
            preconditionFailure("the number members alone have a range")
        }
        return rule.range
    }

    /// Within their range only these seconds: authenticator apps know no others.
    package static let offlineCodePeriods = [30, 60]

    /// Digits of the number: never fewer than the profile asks for, three or more when risk is raised.
    package func digits(riskRaised: Bool) -> Int {
        let floor = profile == .nist80063b4 ? 6 : riskRaised ? 3 : 2
        return max(numberDigits, floor)
    }
}
