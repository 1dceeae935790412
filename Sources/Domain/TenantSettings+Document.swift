// The settings as a JSON document: one member a rule, all of them always present. Null takes a member back to its default.

extension TenantSettings {
    private static let words = [
        "offlineCodeAlgorithm", "offlineCodeAlone", "minimumVersions", "profile", "phoneSignInInSeveralTenants",
    ]

    /// The members that a document or a merge patch may have.
    package static let shape: DocumentShape = {
        var members: [String: DocumentShape] = [:]
        for name in ranges.map(\.member) + words { members[name] = .value }
        let minimum = DocumentShape.members(["os": .value, "app": .value])
        var platforms: [String: DocumentShape] = [:]
        for platform in Platform.allCases { platforms[platform.rawValue] = minimum }
        members["minimumVersions"] = .members(platforms)
        return .members(members)
    }()

    /// Reads a document; what is absent is at its default. Members that this build does not know are passed over, so that a newer
    /// service can be followed; who accepts a change checks `shape` first.
    package init(document: JSONValue) throws(DocumentFault) {
        self.init()
        let reader = try DocumentReader(document)
        for (name, path, range) in Self.ranges {
            guard let value = reader.value(name) else { continue }
            switch value {
            case .integer, .number: break
            default: throw reader.fault(name, allowed: "a whole number from \(range.lowerBound) to \(range.upperBound)")
            }
            guard let number = value.wholeNumber, range.contains(number) else {
                throw .outOfRange(member: name, range: range)
            }
            self[keyPath: path] = number
        }
        guard Self.offlineCodePeriods.contains(offlineCodePeriodSeconds) else {
            let allowed = Self.offlineCodePeriods.map { "\($0)" }.joined(separator: " or ")
            throw reader.fault("offlineCodePeriodSeconds", allowed: allowed)
        }
        offlineCodeAlgorithm = try reader.word("offlineCodeAlgorithm", or: offlineCodeAlgorithm)
        offlineCodeAlone = try reader.flag("offlineCodeAlone", or: offlineCodeAlone)
        profile = try reader.word("profile", or: profile)
        phoneSignInInSeveralTenants = try reader.flag("phoneSignInInSeveralTenants", or: phoneSignInInSeveralTenants)
        if let versions = try reader.object("minimumVersions") { minimumVersions = try Self.minimumVersions(versions) }
    }

    private static func minimumVersions(_ reader: DocumentReader) throws(DocumentFault) -> [String: MinimumVersion] {
        var versions: [String: MinimumVersion] = [:]
        for platform in Platform.allCases {
            guard let members = try reader.object(platform.rawValue) else { continue }
            func version(_ name: String) throws(DocumentFault) -> String? {
                guard let value = members.value(name) else { return nil }
                guard let text = value.text, DottedVersion(text) != nil else {
                    throw members.fault(
                        name, allowed: "up to \(DottedVersion.partsMax) numbers with dots between, e.g. 17.2")
                }
                return text
            }
            let minimum = MinimumVersion(os: try version("os"), app: try version("app"))
            if minimum.os != nil, !platform.hasOperatingSystemMinimum { throw members.fault("os", allowed: "null") }
            if minimum != MinimumVersion() { versions[platform.rawValue] = minimum }
        }
        return versions
    }

    /// The whole document, as a GET of it answers.
    package var document: JSONValue {
        var members: [String: JSONValue] = [
            "offlineCodeAlgorithm": .string(offlineCodeAlgorithm.rawValue), "offlineCodeAlone": .bool(offlineCodeAlone),
            "profile": .string(profile.rawValue), "phoneSignInInSeveralTenants": .bool(phoneSignInInSeveralTenants),
        ]
        for (name, path, _) in Self.ranges { members[name] = .integer(Int64(self[keyPath: path])) }
        var versions: [String: JSONValue] = [:]
        for platform in Platform.allCases {
            let minimum = minimumVersions[platform.rawValue]
            versions[platform.rawValue] = [
                "os": minimum?.os.map(JSONValue.string) ?? .null, "app": minimum?.app.map(JSONValue.string) ?? .null,
            ]
        }
        members["minimumVersions"] = .object(versions)
        return .object(members)
    }
}
