import Domain

/// Times as people write them in configuration: a whole number and a unit.
enum DurationText {
    private static let units: [(suffix: String, milliseconds: Int64)] = [
        ("ms", 1), ("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000),
    ]

    static func parse(_ text: String) -> Duration? {
        for unit in units where text.hasSuffix(unit.suffix) {
            let digits = text.dropLast(unit.suffix.count)
            guard !digits.isEmpty, digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let count = Int64(digits)
            else { return nil }
            let (milliseconds, isTooLarge) = count.multipliedReportingOverflow(by: unit.milliseconds)
            return isTooLarge ? nil : .milliseconds(milliseconds)
        }
        return nil
    }

    /// In the largest unit that divides it.
    static func format(_ duration: Duration) -> String {
        let milliseconds = duration.milliseconds
        let rising = units.sorted { $0.milliseconds > $1.milliseconds }
        guard milliseconds != 0, let unit = rising.first(where: { milliseconds % $0.milliseconds == 0 }) else {
            return "\(milliseconds)ms"
        }
        return "\(milliseconds / unit.milliseconds)\(unit.suffix)"
    }
}

/// An address to listen at: `127.0.0.1:7420` or `[::1]:7420`.
package struct SocketAddressText: Sendable, Hashable, CustomStringConvertible {
    package let host: String
    package let port: Int

    /// Nil for a name, a port out of range, and anything else: a listener needs an address.
    package init?(_ text: String) {
        guard let colon = text.lastIndex(of: ":"), let port = Int(text[text.index(after: colon)...]),
            (1...65_535).contains(port)
        else {
            return nil
        }
        var host = text[..<colon]
        if host.hasPrefix("["), host.hasSuffix("]") {
            host = host.dropFirst().dropLast()
            guard host.contains(":"), host.allSatisfy({ $0.isHexDigit || $0 == ":" || $0 == "." }) else { return nil }
        } else {
            let parts = host.split(separator: ".", omittingEmptySubsequences: false)
            guard parts.count == 4, parts.allSatisfy({ UInt8($0) != nil }) else { return nil }
        }
        self.host = String(host)
        self.port = port
    }

    package var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
}
