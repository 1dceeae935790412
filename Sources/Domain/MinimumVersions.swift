/// Numbers with dots between, compared one by one; missing ones count as zero, so `8` and `8.0` are equal.
package struct DottedVersion: Comparable, Sendable {
    package static let partsMax = 6
    private static let partDigitsMax = 9

    private let parts: [Int]

    /// Nil for anything but digits and single dots between them.
    package init?(_ text: String) {
        let words = text.split(separator: ".", omittingEmptySubsequences: false)
        guard words.count <= Self.partsMax else { return nil }
        var parts: [Int] = []
        for word in words {
            guard (1...Self.partDigitsMax).contains(word.utf8.count),
                word.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
                let part = Int(word)
            else { return nil }
            parts.append(part)
        }
        while parts.last == 0 { parts.removeLast() }
        self.parts = parts
    }

    package static func < (left: DottedVersion, right: DottedVersion) -> Bool {
        left.parts.lexicographicallyPrecedes(right.parts)
    }
}

extension Platform {
    /// A browser and a terminal run anywhere: only the app's own version can be asked for.
    package var hasOperatingSystemMinimum: Bool { self == .ios || self == .android }
}

/// The minimum that a device does not reach.
package struct MissedMinimum: Hashable, Sendable {
    package enum Part: String, Sendable { case operatingSystem, app }
    package let part: Part
    package let minimum: String

    package init(part: Part, minimum: String) {
        self.part = part
        self.minimum = minimum
    }
}

extension TenantSettings {
    /// The first minimum that a device of these versions misses, the operating system's first; nil when it may approve. A version
    /// that is not dotted numbers is older than every minimum.
    package func missedMinimum(platform: Platform, osVersion: String, appVersion: String) -> MissedMinimum? {
        guard let minimum = minimumVersions[platform.rawValue] else { return nil }
        if platform.hasOperatingSystemMinimum, let os = minimum.os, !Self.reaches(osVersion, os) {
            return MissedMinimum(part: .operatingSystem, minimum: os)
        }
        if let app = minimum.app, !Self.reaches(appVersion, app) { return MissedMinimum(part: .app, minimum: app) }
        return nil
    }

    private static func reaches(_ version: String, _ minimum: String) -> Bool {
        guard let version = DottedVersion(version), let minimum = DottedVersion(minimum) else { return false }
        return version >= minimum
    }
}
