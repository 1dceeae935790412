// The words that the public contract, the messages, the logs and the code share. Raw values are the wire's.

/// How a request may be used by the application that asks.
package enum Factor: String, Sendable, Codable, CaseIterable {
    case passwordless
    case secondFactor
}

/// What a challenge is for. The phone shows it.
package enum Purpose: String, Sendable, Codable, CaseIterable {
    case signIn
    case secondFactor
    case registration
    case phoneSignInSetup

    /// How an application may use such a challenge; nil for a device's own.
    package var factor: Factor? {
        switch self {
        case .signIn: .passwordless
        case .secondFactor: .secondFactor
        case .registration, .phoneSignInSetup: nil
        }
    }
}

package enum ChallengeStatus: String, Sendable, Codable, CaseIterable {
    case pending
    case approved
    case denied
    case expired
    case canceled
    case redeemed
}

/// Why a challenge was denied, as the caller sees it.
package enum DenialReason: String, Sendable, Codable, CaseIterable {
    case declined
    case reported
    case wrongNumber = "wrong_number"
}

/// What the person chose on the phone.
package enum Decision: String, Sendable, Codable, CaseIterable {
    case approve
    case decline
    case report
}

/// What settled a challenge.
package enum SignInMethod: String, Sendable, Codable, CaseIterable {
    case push
    case code
}

/// What the person's own browser offers first, in the order in which it does so where the person chose nothing.
package enum DefaultMethod: String, Sendable, Codable, CaseIterable {
    /// The user name, then the number on the phone.
    case phoneSignIn
    /// The password, then the number on the phone.
    case push
    /// A code of the authenticator.
    case code

    /// The choice where it can be used now, otherwise the first that can; nil where none can.
    package static func resolved(chosen: DefaultMethod?, usable: [DefaultMethod]) -> DefaultMethod? {
        usable.first { $0 == chosen } ?? usable.first
    }
}

/// How a person's deciding target lets the authenticator be used.
package enum AuthenticationMode: String, Sendable, Codable, CaseIterable {
    case any
    case push
    case deviceBasedPush
}

package enum Platform: String, Sendable, Codable, CaseIterable {
    case ios
    case android
    case web
    case cli
}

package enum DeviceState: String, Sendable, Codable, CaseIterable {
    case awaitingConfirmation
    case active
    case removed
}

package enum ActivationState: String, Sendable, Codable, CaseIterable {
    case waiting
    case confirming
    case active
    case expired
}

package enum PushTransport: String, Sendable, Codable, CaseIterable {
    case apns
    case fcm
    case webpush
    case none

    /// For what this provider's key is sealed in the file of an account, which is a tenant's or `default`: put into another tenant's
    /// account, or another provider's, it does not open.
    package func sealingPurpose(account: String) -> String { "push-account \(rawValue) \(account)" }
}

package enum CodeAlgorithm: String, Sendable, Codable, CaseIterable {
    case sha1 = "SHA1"
    case sha256 = "SHA256"
    case sha512 = "SHA512"
}

/// What a device's event stream tells: a challenge to show, or that one has ended.
package enum DeviceEvent: String, Sendable, Codable, CaseIterable {
    case challenge
    case settled
}
