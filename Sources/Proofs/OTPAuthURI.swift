import Domain

/// An `otpauth:` key URI: what every authenticator app reads from a QR code.
package struct OTPAuthURI: Hashable, Sendable {
    private static let charactersMax = 2048

    package enum MovingFactor: Hashable, Sendable {
        /// The clock, in steps of so many seconds.
        case time(period: Int)
        case counter(UInt64)
    }

    package let issuer: String
    package let account: String
    package let password: OneTimePassword
    package let factor: MovingFactor

    /// Nil when issuer or account hold a colon, which separates them in the label.
    package init?(issuer: String, account: String, password: OneTimePassword, factor: MovingFactor) {
        guard !issuer.contains(":"), !account.contains(":") else { return nil }
        self.issuer = issuer
        self.account = account
        self.password = password
        self.factor = factor
    }

    /// As `init(issuer:account:password:factor:)`, for the offline codes of a device.
    package init?(issuer: String, account: String, offlineCode: TimeBasedPassword) {
        self.init(
            issuer: issuer, account: account, password: offlineCode.password, factor: .time(period: offlineCode.period))
    }

    /// The time-based password, when that is what the URI holds.
    package var offlineCode: TimeBasedPassword? {
        guard case .time(let period) = factor else { return nil }
        return TimeBasedPassword(
            secret: password.secret, algorithm: password.algorithm, digits: password.digits, period: period)
    }

    package var text: String {
        let label = issuer.isEmpty ? Self.encoded(account) : "\(Self.encoded(issuer)):\(Self.encoded(account))"
        let issuerMember = issuer.isEmpty ? "" : "&issuer=\(PercentEncoding.encode(issuer))"
        let (type, moving) =
            switch factor {
            case .time(let period): ("totp", "period=\(period)")
            case .counter(let counter): ("hotp", "counter=\(counter)")
            }
        return "otpauth://\(type)/\(label)?secret=\(Base32.encode(password.secret))\(issuerMember)"
            + "&algorithm=\(password.algorithm.rawValue)&digits=\(password.digits)&\(moving)"
    }

    private static func encoded(_ text: String) -> String { PercentEncoding.encode(text, keeping: "@") }

    /// Reads a URI; unknown members are ignored, since apps add their own. Throws `malformed`.
    package init(_ text: String) throws(ProofError) {
        guard text.utf8.count <= Self.charactersMax, let separator = text.range(of: "://"),
            text[..<separator.lowerBound].lowercased() == "otpauth"
        else { throw .malformed }
        let rest = text[separator.upperBound...].split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        let path = rest[0].split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard rest.count == 2, path.count == 2, let label = PercentEncoding.decode(path[1]),
            let members = PercentEncoding.query(rest[1])
        else { throw .malformed }
        let names = label.split(separator: ":", omittingEmptySubsequences: false)
        guard let last = names.last, names.count <= 2 else { throw .malformed }
        let prefix = names.count == 2 ? String(names[0]) : nil
        // The two issuers must not contradict each other: the person reads one, the account is filed under the other.
        if let prefix, let issuer = members["issuer"], prefix != issuer { throw .malformed }
        let account = String(last.drop { $0 == " " })
        guard
            let uri = OTPAuthURI(
                issuer: members["issuer"] ?? prefix ?? "", account: account, password: try Self.password(members),
                factor: try Self.factor(path[0].lowercased(), members))
        else { throw .malformed }
        self = uri
    }

    private static func password(_ members: [String: String]) throws(ProofError) -> OneTimePassword {
        guard let secret = members["secret"].flatMap({ Base32.decode($0) }),
            let algorithm = CodeAlgorithm(rawValue: members["algorithm"]?.uppercased() ?? "SHA1"),
            let digits = Int(members["digits"] ?? "6"),
            let password = OneTimePassword(secret: secret, algorithm: algorithm, digits: digits)
        else { throw .malformed }
        return password
    }

    private static func factor(_ type: String, _ members: [String: String]) throws(ProofError) -> MovingFactor {
        switch type {
        case "totp":
            guard let period = Int(members["period"] ?? "30"), TimeBasedPassword.periodRange.contains(period) else {
                throw .malformed
            }
            return .time(period: period)
        case "hotp":
            guard let counter = members["counter"].flatMap({ UInt64($0) }) else { throw .malformed }
            return .counter(counter)
        default: throw .malformed
        }
    }
}

extension StringProtocol {
    /// The first occurrence of `text`, without Foundation.
    func range(of text: String) -> Range<Index>? {
        var start = startIndex
        while start < endIndex {
            if self[start...].hasPrefix(text) { return start..<index(start, offsetBy: text.count) }
            start = index(after: start)
        }
        return nil
    }
}
