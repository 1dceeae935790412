public import Foundation

/// One activation of this phone: one person in one tenant of one server.
public struct Account: Sendable, Hashable, Codable, Identifiable {
    /// The device id that the server gave to this activation.
    public struct ID: Sendable, Hashable, Codable, CustomStringConvertible, LosslessStringConvertible {
        public let rawValue: String
        public init(_ text: String) { rawValue = text }
        public var description: String { rawValue }

        public init(from decoder: any Decoder) throws {
            rawValue = try decoder.singleValueContainer().decode(String.self)
        }

        public func encode(to encoder: any Encoder) throws {
            var container = encoder.singleValueContainer()
            try container.encode(rawValue)
        }
    }

    public enum State: String, Sendable, Codable {
        /// Activated; the person has yet to confirm it with the number that the web page shows.
        case awaitingConfirmation
        case active
    }

    public let id: ID
    /// The server's external URL, without a trailing slash.
    public let server: String
    public let tenant: String
    public let tenantName: String
    public let issuer: String
    public let username: String
    public let displayName: String
    public let activatedAt: Date
    /// Which key of the key store signs for this account. Accounts share one unless they were activated with one of their own.
    public let key: KeyID
    /// What offline codes are made from. A secret: keep accounts where only this app can read them.
    public let offlineCode: OfflineCodeParameters
    public internal(set) var state: State
    /// This phone's name as the person sees it on the web.
    public internal(set) var deviceName: String
    /// Whether this account signs in without a password, as this phone last learned it.
    public internal(set) var phoneSignIn: Bool

    /// Whether a person who types `name` may mean this account: its id, `user name`, or `user name@tenant`.
    public func matches(_ name: String) -> Bool {
        let folded = name.lowercased()
        return id.rawValue == name || username.lowercased() == folded || "\(username)@\(tenant)".lowercased() == folded
    }

    /// `{base}/{tenant}`: who an answer of this account is meant for.
    var audience: String { "\(server)/\(tenant)" }
}
