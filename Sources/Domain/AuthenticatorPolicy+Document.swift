// The policy as a JSON document, member for member as Microsoft Graph writes it. `numberMatchingRequiredState` and
// `companionAppAllowedState` are kept as given and change nothing: a number is always asked for, and there is no companion app.

extension AuthenticatorPolicy {
    private static let annotations: [String: JSONValue] = [
        "@odata.context": "https://graph.microsoft.com/v1.0/$metadata#authenticationMethodConfigurations/$entity",
        "@odata.type": "#microsoft.graph.microsoftAuthenticatorAuthenticationMethodConfiguration",
        "id": "MicrosoftAuthenticator",
    ]

    /// Targets in one list; a longer list belongs into a group.
    package static let targetsMax = 200
    package static let targetIDBytesMax = 128

    /// The members that a document or a merge patch may have.
    package static let shape: DocumentShape = {
        let target = DocumentShape.members(["targetType": .value, "id": .value])
        let feature = DocumentShape.members(["state": .value, "includeTarget": target, "excludeTarget": target])
        var members: [String: DocumentShape] = [
            "state": .value,
            "isSoftwareOathEnabled": .value,
            "excludeTargets": .list(of: target),
            "featureSettings": .members([
                "displayAppInformationRequiredState": feature, "displayLocationInformationRequiredState": feature,
                "companionAppAllowedState": feature, "numberMatchingRequiredState": feature,
            ]),
            "includeTargets": .list(
                of: .members([
                    "targetType": .value, "id": .value, "isRegistrationRequired": .value, "authenticationMode": .value,
                ])),
        ]
        for name in annotations.keys { members[name] = .value }
        return .members(members)
    }()

    /// Reads a document. Members that this build does not know are passed over, so that a newer service can be followed; who
    /// accepts a change checks `shape` first.
    package init(document: JSONValue) throws(DocumentFault) {
        let reader = try DocumentReader(document)
        for (name, expected) in Self.annotations {
            guard reader.value(name) ?? expected == expected else {
                throw reader.fault(name, allowed: expected.text ?? "")
            }
        }
        guard let features = try reader.object("featureSettings") else {
            throw reader.fault("featureSettings", allowed: "an object")
        }
        var included: [IncludeTarget] = []
        for element in try reader.list("includeTargets", countMax: Self.targetsMax) {
            let target = try Target(element)
            if included.contains(where: { $0.target == target }) { throw .duplicate(member: element.path) }
            included.append(
                IncludeTarget(
                    targetType: target.targetType, id: target.id,
                    isRegistrationRequired: try element.flag("isRegistrationRequired", or: false),
                    authenticationMode: try element.word("authenticationMode", or: .any)))
        }
        var excluded: [Target] = []
        for element in try reader.list("excludeTargets", countMax: Self.targetsMax) {
            let target = try Target(element)
            if excluded.contains(target) { throw .duplicate(member: element.path) }
            excluded.append(target)
        }
        self.init(
            state: try reader.word("state"), isSoftwareOathEnabled: try reader.flag("isSoftwareOathEnabled"),
            excludeTargets: excluded, featureSettings: try FeatureSettings(features), includeTargets: included)
    }

    /// The whole document, as a GET of it answers.
    package var document: JSONValue {
        let members: [String: JSONValue] = [
            "state": .string(state.rawValue),
            "isSoftwareOathEnabled": .bool(isSoftwareOathEnabled),
            "excludeTargets": .array(excludeTargets.map(\.document)),
            "featureSettings": featureSettings.document,
            "includeTargets": .array(includeTargets.map(\.document)),
        ]
        return .object(members.merging(Self.annotations) { member, _ in member })
    }

    /// The people and the groups that the document names, each with the path that names it, sentinels apart: they must exist.
    package var namedTargets: [(path: String, target: Target)] {
        let included = includeTargets.enumerated().map { ("includeTargets[\($0)]", $1.target) }
        let excluded = excludeTargets.enumerated().map { ("excludeTargets[\($0)]", $1) }
        let features = featureSettings.all.flatMap { name, feature in
            [
                ("featureSettings.\(name).includeTarget", feature.includeTarget),
                ("featureSettings.\(name).excludeTarget", feature.excludeTarget),
            ]
        }
        return (included + excluded + features).filter { !$0.1.isSentinel }
    }
}

extension AuthenticatorPolicy.Target {
    /// Whether it stands for everybody or nobody instead of naming a group.
    package var isSentinel: Bool { self == .allUsers || self == .nobody }

    init(_ reader: DocumentReader) throws(DocumentFault) {
        guard let id = reader.value("id")?.text, (1...AuthenticatorPolicy.targetIDBytesMax).contains(id.utf8.count)
        else {
            throw reader.fault("id", allowed: "the id of a person or a group")
        }
        self.init(targetType: try reader.word("targetType"), id: id)
    }

    var document: JSONValue { ["targetType": .string(targetType.rawValue), "id": .string(id)] }
}

extension AuthenticatorPolicy.IncludeTarget {
    var document: JSONValue {
        [
            "targetType": .string(targetType.rawValue), "id": .string(id),
            "isRegistrationRequired": .bool(isRegistrationRequired),
            "authenticationMode": .string(authenticationMode.rawValue),
        ]
    }
}

extension AuthenticatorPolicy.Feature {
    init(_ reader: DocumentReader) throws(DocumentFault) {
        self.init(state: try reader.word("state", or: .default))
        if let target = try reader.object("includeTarget") { includeTarget = try AuthenticatorPolicy.Target(target) }
        if let target = try reader.object("excludeTarget") { excludeTarget = try AuthenticatorPolicy.Target(target) }
    }

    var document: JSONValue {
        [
            "state": .string(state.rawValue), "includeTarget": includeTarget.document,
            "excludeTarget": excludeTarget.document,
        ]
    }
}

extension AuthenticatorPolicy.FeatureSettings {
    /// A feature that is absent, or was removed by null, is as the vendor decides.
    init(_ reader: DocumentReader) throws(DocumentFault) {
        func feature(_ name: String) throws(DocumentFault) -> AuthenticatorPolicy.Feature? {
            guard let object = try reader.object(name) else { return nil }
            return try AuthenticatorPolicy.Feature(object)
        }
        self.init(
            displayAppInformationRequiredState: try feature("displayAppInformationRequiredState")
                ?? .init(state: .default),
            displayLocationInformationRequiredState: try feature("displayLocationInformationRequiredState")
                ?? .init(state: .default),
            companionAppAllowedState: try feature("companionAppAllowedState"),
            numberMatchingRequiredState: try feature("numberMatchingRequiredState"))
    }

    var document: JSONValue { .object(Dictionary(uniqueKeysWithValues: all.map { ($0, $1.document) })) }

    /// The features that the document has, by name.
    var all: [(name: String, feature: AuthenticatorPolicy.Feature)] {
        let features: [(String, AuthenticatorPolicy.Feature?)] = [
            ("displayAppInformationRequiredState", displayAppInformationRequiredState),
            ("displayLocationInformationRequiredState", displayLocationInformationRequiredState),
            ("companionAppAllowedState", companionAppAllowedState),
            ("numberMatchingRequiredState", numberMatchingRequiredState),
        ]
        return features.compactMap { name, feature in feature.map { (name, $0) } }
    }
}
