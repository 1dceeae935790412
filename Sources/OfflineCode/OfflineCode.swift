// The offline-code generator, as a library: a secret in, a code and its time left out.
//
// Owns: how secrets are written by people (spaces, dashes, padding). Must not know: accounts, files, terminals. The algorithm is
// `Proofs.TimeBasedPassword`. Start reading here.

import Domain
public import Foundation
import Proofs

/// Why no code can be made. `description` never holds the secret.
public enum OfflineCodeError: Error, Sendable, Hashable, CustomStringConvertible {
    case invalidURI
    case invalidSecret
    case invalidAlgorithm
    case invalidDigits
    case invalidPeriod

    public var description: String {
        switch self {
        case .invalidURI: "this is not an otpauth:// URI of a usable code"
        case .invalidSecret: "the secret is not Base32"
        case .invalidAlgorithm: "the algorithm is SHA1, SHA256 or SHA512"
        case .invalidDigits: "a code has 6, 7 or 8 digits"
        case .invalidPeriod: "a period is between 30 and 60 seconds"
        }
    }
}

/// Makes the codes of one secret (RFC 6238; RFC 4226 for an `otpauth://hotp` URI). It never prints its secret.
public struct OfflineCodeGenerator: Sendable, CustomStringConvertible, CustomReflectable {
    /// A code, and how long it stays the current one.
    public struct Reading: Sendable, Hashable {
        public let code: String
        /// Whole seconds, rounded up; nil for a code of a counter.
        public let secondsLeft: Int?

        public init(code: String, secondsLeft: Int?) {
            self.code = code
            self.secondsLeft = secondsLeft
        }
    }

    private let password: OneTimePassword
    private let factor: OTPAuthURI.MovingFactor
    public let issuer: String
    public let account: String

    /// Reads an `otpauth://` URI. Throws `invalidURI`.
    public init(uri: String) throws(OfflineCodeError) {
        guard let parsed = try? OTPAuthURI(uri) else { throw .invalidURI }
        password = parsed.password
        factor = parsed.factor
        issuer = parsed.issuer
        account = parsed.account
    }

    /// From a Base32 secret as people write it: in either case, with spaces, dashes and padding.
    public init(secret: String, algorithm: String = "SHA1", digits: Int = 6, period: Int = 30) throws(OfflineCodeError)
    {
        var plain = secret.filter { !$0.isWhitespace && $0 != "-" }
        while plain.hasSuffix("=") { plain.removeLast() }
        guard let bytes = Base32.decode(plain), !bytes.isEmpty else { throw .invalidSecret }
        guard let algorithm = CodeAlgorithm(rawValue: algorithm.uppercased().filter { $0 != "-" }) else {
            throw .invalidAlgorithm
        }
        guard let password = OneTimePassword(secret: bytes, algorithm: algorithm, digits: digits) else {
            throw .invalidDigits
        }
        guard TimeBasedPassword.periodRange.contains(period) else { throw .invalidPeriod }
        self.password = password
        factor = .time(period: period)
        issuer = ""
        account = ""
    }

    public func reading(at time: Date) -> Reading {
        switch factor {
        case .counter(let counter): return Reading(code: password.code(counter: counter), secondsLeft: nil)
        case .time(let period):
            // Times before 1970 and beyond what a step can count are outside RFC 6238: they read as its first and last.
            let seconds = Int64(min(max(time.timeIntervalSince1970.rounded(.down), 0), 253_402_300_799))
            let step = seconds / Int64(period)
            return Reading(
                code: password.code(counter: UInt64(step)), secondsLeft: Int((step + 1) * Int64(period) - seconds))
        }
    }

    public var description: String { "offline-code generator" }
    public var customMirror: Mirror { Mirror(self, children: []) }
}
