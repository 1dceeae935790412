import Domain
import Testing

@Suite("The policy document")
struct AuthenticatorPolicyDocumentTests {
    /// As Microsoft Graph's documentation shows it.
    private static let graph = """
        {
          "@odata.context": "https://graph.microsoft.com/v1.0/$metadata#authenticationMethodConfigurations/$entity",
          "@odata.type": "#microsoft.graph.microsoftAuthenticatorAuthenticationMethodConfiguration",
          "id": "MicrosoftAuthenticator",
          "state": "enabled",
          "isSoftwareOathEnabled": false,
          "excludeTargets": [ { "targetType": "group", "id": "5af8a0da-5420-4d69-bf3c-8b129f3449ce" } ],
          "featureSettings": {
            "displayAppInformationRequiredState": { "state": "enabled",
              "includeTarget": { "targetType": "group", "id": "all_users" },
              "excludeTarget": { "targetType": "group", "id": "00000000-0000-0000-0000-000000000000" } },
            "displayLocationInformationRequiredState": { "state": "default",
              "includeTarget": { "targetType": "group", "id": "all_users" },
              "excludeTarget": { "targetType": "group", "id": "b185b746-e7db-4fa2-bafc-69ecf18850dd" } },
            "companionAppAllowedState": { "state": "default",
              "includeTarget": { "targetType": "group", "id": "all_users" },
              "excludeTarget": { "targetType": "group", "id": "00000000-0000-0000-0000-000000000000" } },
            "numberMatchingRequiredState": { "state": "enabled",
              "includeTarget": { "targetType": "group", "id": "all_users" },
              "excludeTarget": { "targetType": "group", "id": "00000000-0000-0000-0000-000000000000" } }
          },
          "includeTargets": [
            { "targetType": "group", "id": "all_users", "isRegistrationRequired": false, "authenticationMode": "any" },
            { "targetType": "group", "id": "a229e768-961a-4401-aadb-11d836885c11", "isRegistrationRequired": false,
              "authenticationMode": "deviceBasedPush" }
          ]
        }
        """

    private func changed(_ patch: String) throws -> AuthenticatorPolicy {
        let patch = try JSONValue(parsing: patch)
        try AuthenticatorPolicy.shape.check(patch)
        return try AuthenticatorPolicy(document: AuthenticatorPolicy.initial.document.merging(patch))
    }

    @Test("the document that Graph shows is read and written member for member")
    func graphDocument() throws {
        let document = try JSONValue(parsing: Self.graph)
        try AuthenticatorPolicy.shape.check(document)
        let policy = try AuthenticatorPolicy(document: document)
        #expect(policy.document == document)
        #expect(policy.includeTargets[1].authenticationMode == .deviceBasedPush)
        #expect(policy.featureSettings.numberMatchingRequiredState?.state == .enabled)
    }

    @Test("a new tenant's policy comes back from its own document")
    func initial() throws {
        #expect(try AuthenticatorPolicy(document: AuthenticatorPolicy.initial.document) == .initial)
        #expect(AuthenticatorPolicy.initial.document["id"] == "MicrosoftAuthenticator")
    }

    @Test(
        "an unknown member is refused by its whole path, null too",
        arguments: [
            (#"{"stat":"enabled"}"#, "stat"),
            (#"{"stat":null}"#, "stat"),
            (#"{"featureSettings":{"displayMoon":null}}"#, "featureSettings.displayMoon"),
            (
                #"{"featureSettings":{"numberMatchingRequiredState":{"includeTarget":{"name":"x"}}}}"#,
                "featureSettings.numberMatchingRequiredState.includeTarget.name"
            ),
            (#"{"includeTargets":[{"targetType":"group","id":"all_users"},{"mode":"any"}]}"#, "includeTargets[1].mode"),
            (#"{"excludeTargets":[{"authenticationMode":"any"}]}"#, "excludeTargets[0].authenticationMode"),
        ])
    func unknownMember(patch: String, path: String) {
        #expect(throws: DocumentFault.unknownMember(path)) { try changed(patch) }
    }

    @Test(
        "a value that is not allowed is refused with its path and what is allowed",
        arguments: [
            (#"{"state":"on"}"#, "state", "enabled, disabled"),
            (#"{"state":null}"#, "state", "enabled, disabled"),
            (#"{"isSoftwareOathEnabled":"yes"}"#, "isSoftwareOathEnabled", "true, false"),
            (#"{"includeTargets":null}"#, "includeTargets", "a list of at most 200 objects"),
            (#"{"includeTargets":[7]}"#, "includeTargets[0]", "an object"),
            (#"{"featureSettings":null}"#, "featureSettings", "an object"),
            (
                #"{"includeTargets":[{"targetType":"group","id":"all_users","authenticationMode":"Push"}]}"#,
                "includeTargets[0].authenticationMode", "any, push, deviceBasedPush"
            ),
            (#"{"includeTargets":[{"targetType":"role","id":"x"}]}"#, "includeTargets[0].targetType", "user, group"),
            (
                #"{"excludeTargets":[{"targetType":"user","id":""}]}"#, "excludeTargets[0].id",
                "the id of a person or a group"
            ),
            (
                #"{"featureSettings":{"displayAppInformationRequiredState":{"state":"off"}}}"#,
                "featureSettings.displayAppInformationRequiredState.state", "default, enabled, disabled"
            ),
            (#"{"id":"Fido2"}"#, "id", "MicrosoftAuthenticator"),
            (
                ##"{"@odata.type":"#microsoft.graph.other"}"##, "@odata.type",
                "#microsoft.graph.microsoftAuthenticatorAuthenticationMethodConfiguration"
            ),
        ])
    func invalidValue(patch: String, member: String, allowed: String) {
        #expect(throws: DocumentFault.invalidValue(member: member, allowed: allowed)) { try changed(patch) }
    }

    @Test("a target named twice in one list is refused, in both lists at once it is not")
    func duplicates() throws {
        let user = #"{"targetType":"user","id":"u1"}"#
        #expect(throws: DocumentFault.duplicate(member: "includeTargets[1]")) {
            try changed(#"{"includeTargets":[\#(user),\#(user)]}"#)
        }
        #expect(throws: DocumentFault.duplicate(member: "excludeTargets[1]")) {
            try changed(#"{"excludeTargets":[\#(user),\#(user)]}"#)
        }
        _ = try changed(#"{"includeTargets":[\#(user)],"excludeTargets":[\#(user)]}"#)
    }

    @Test("null takes a feature back to the vendor's choice and the annotations back to what they are")
    func removal() throws {
        let policy = try changed(
            #"{"featureSettings":{"displayAppInformationRequiredState":null},"id":null,"@odata.context":null}"#)
        #expect(policy.featureSettings.displayAppInformationRequiredState == .init(state: .default))
        #expect(policy.document["@odata.context"] != nil)
    }

    @Test("the targets that must exist are named by path, sentinels apart")
    func namedTargets() throws {
        let policy = try AuthenticatorPolicy(document: JSONValue(parsing: Self.graph))
        #expect(
            policy.namedTargets.map(\.path) == [
                "includeTargets[1]", "excludeTargets[0]",
                "featureSettings.displayLocationInformationRequiredState.excludeTarget",
            ])
    }
}
