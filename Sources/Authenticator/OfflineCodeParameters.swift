import Domain
public import Foundation
import Proofs

/// What the offline codes of one account are made from (RFC 6238). It holds a secret, so it never prints.
public struct OfflineCodeParameters: Sendable, Hashable, Codable, CustomStringConvertible, CustomReflectable {
    /// Base32 without padding.
    public let secret: String
    /// `SHA1`, `SHA256` or `SHA512`.
    public let algorithm: String
    public let digits: Int
    /// Seconds.
    public let period: Int

    private enum CodingKeys: String, CodingKey { case secret, algorithm, digits, period }

    /// Throws `AuthenticatorError.unexpectedReply` for anything that no code can be made from.
    init(secret: String, algorithm: String, digits: Int, period: Int) throws(AuthenticatorError) {
        self.secret = secret
        self.algorithm = algorithm
        self.digits = digits
        self.period = period
        guard generator != nil else { throw .unexpectedReply }
    }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        try self.init(
            secret: container.decode(String.self, forKey: .secret),
            algorithm: container.decode(String.self, forKey: .algorithm),
            digits: container.decode(Int.self, forKey: .digits), period: container.decode(Int.self, forKey: .period))
    }

    /// Nil only while the members are being checked.
    private var generator: TimeBasedPassword? {
        guard let secret = Base32.decode(secret), let algorithm = CodeAlgorithm(rawValue: algorithm) else { return nil }
        return TimeBasedPassword(secret: secret, algorithm: algorithm, digits: digits, period: period)
    }

    /// The code at a time, and how long it stays the current one. Needs no network.
    public func code(at time: Date) -> OfflineCode {
        guard let generator else { preconditionFailure("the initialisers let no unusable parameters in") }
        let timestamp = Timestamp(time)
        return OfflineCode(
            code: generator.code(at: timestamp), expiresAt: Date(timestamp + generator.remaining(at: timestamp)))
    }

    public var description: String { "offline code parameters" }
    public var customMirror: Mirror { Mirror(self, children: []) }
}

/// A code as a phone shows it.
public struct OfflineCode: Sendable, Hashable {
    /// Decimal digits, leading zeros kept.
    public let code: String
    /// When the next code takes its place.
    public let expiresAt: Date
}

extension Timestamp {
    init(_ date: Date) { self.init(milliseconds: Int64((date.timeIntervalSince1970 * 1000).rounded())) }
}

extension Date {
    init(_ time: Timestamp) { self.init(timeIntervalSince1970: Double(time.milliseconds) / 1000) }
}
