import Crypto
package import Domain

/// HMAC-based one-time passwords (RFC 4226), with the longer digests of RFC 6238 as well.
package struct OneTimePassword: Hashable, Sendable, CustomStringConvertible {
    package static let digitsRange = 6...8
    /// RFC 4226 section 4, R6: 128 bits at least.
    package static let secretBytesMin = 16

    package let secret: [UInt8]
    package let algorithm: CodeAlgorithm
    package let digits: Int

    /// Nil for a number of digits that is not allowed, or an empty secret.
    package init?(secret: [UInt8], algorithm: CodeAlgorithm = .sha1, digits: Int = 6) {
        guard Self.digitsRange.contains(digits), !secret.isEmpty else { return nil }
        self.secret = secret
        self.algorithm = algorithm
        self.digits = digits
    }

    /// The password for one counter value, leading zeros kept.
    package func code(counter: UInt64) -> String {
        let message = (0..<8).map { UInt8(truncatingIfNeeded: counter >> (56 - 8 * UInt64($0))) }
        let mac = authenticationCode(message)
        // Dynamic truncation, RFC 4226 section 5.3: the low half-byte of the last byte says where to cut.
        let offset = Int(mac[mac.count - 1] & 0xF)
        let number = mac[offset..<offset + 4].reduce(UInt32(0)) { $0 << 8 | UInt32($1) } & 0x7FFF_FFFF
        let modulus = (0..<digits).reduce(UInt32(1)) { value, _ in value * 10 }
        let text = String(number % modulus)
        return String(repeating: "0", count: digits - text.utf8.count) + text
    }

    private func authenticationCode(_ message: [UInt8]) -> [UInt8] {
        let key = SymmetricKey(data: secret)
        switch algorithm {
        case .sha1: return Array(HMAC<Insecure.SHA1>.authenticationCode(for: message, using: key))
        case .sha256: return Array(HMAC<SHA256>.authenticationCode(for: message, using: key))
        case .sha512: return Array(HMAC<SHA512>.authenticationCode(for: message, using: key))
        }
    }

    package var description: String { "one-time password, \(algorithm.rawValue), \(digits) digits" }
}

/// Time-based one-time passwords (RFC 6238): T0 is 1970, the counter is the step.
package struct TimeBasedPassword: Hashable, Sendable, CustomStringConvertible {
    package static let periodRange = 30...60

    package let password: OneTimePassword
    /// Seconds.
    package let period: Int

    /// Nil for a number of digits or a period that is not allowed, or an empty secret.
    package init?(secret: [UInt8], algorithm: CodeAlgorithm = .sha1, digits: Int = 6, period: Int = 30) {
        guard let password = OneTimePassword(secret: secret, algorithm: algorithm, digits: digits),
            Self.periodRange.contains(period)
        else { return nil }
        self.password = password
        self.period = period
    }

    /// The step at a time; times before 1970 count as step 0.
    package func step(at time: Timestamp) -> Int64 { max(0, time.seconds) / Int64(period) }

    package func code(step: Int64) -> String { password.code(counter: UInt64(max(0, step))) }

    package func code(at time: Timestamp) -> String { code(step: step(at: time)) }

    /// How long the code of `time` stays the current one.
    package func remaining(at time: Timestamp) -> Duration {
        Timestamp(seconds: (step(at: time) + 1) * Int64(period)) - time
    }

    /// The step within `window` steps each side of `time` whose code is `code`, the latest if several. Compares all of them, each
    /// in constant time, so that the answer's time tells neither the step nor how many digits were right.
    package func step(of code: String, at time: Timestamp, window: Int) -> Int64? {
        let current = step(at: time)
        var found: Int64?
        for step in (current - Int64(window))...(current + Int64(window)) where step >= 0 {
            if equalInConstantTime(Array(code.utf8), Array(self.code(step: step).utf8)) { found = step }
        }
        return found
    }

    package var description: String { "\(password), \(period) s" }
}

/// Looks at every byte whatever the first difference is; only the lengths show.
func equalInConstantTime(_ left: [UInt8], _ right: [UInt8]) -> Bool {
    guard left.count == right.count else { return false }
    var difference: UInt8 = 0
    for index in left.indices { difference |= left[index] ^ right[index] }
    return difference == 0
}
