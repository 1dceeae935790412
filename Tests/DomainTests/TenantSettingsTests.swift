import Domain
import Testing

@Suite("The settings document")
struct TenantSettingsTests {
    private func changed(_ patch: String) throws -> TenantSettings {
        let patch = try JSONValue(parsing: patch)
        try TenantSettings.shape.check(patch)
        return try TenantSettings(document: TenantSettings().document.merging(patch))
    }

    @Test("the defaults come back from their own document, which has every member")
    func defaults() throws {
        let document = TenantSettings().document
        #expect(try TenantSettings(document: document) == TenantSettings())
        let properties = Set(Mirror(reflecting: TenantSettings()).children.compactMap(\.label))
        #expect(Set(document.members.map(\.keys).map(Array.init) ?? []) == properties)
    }

    @Test("each number is accepted at both ends of its range and refused beyond them, by name and range")
    func ranges() throws {
        for (name, path, range) in TenantSettings.ranges {
            for value in [range.lowerBound, range.upperBound] {
                #expect(try changed(#"{"\#(name)":\#(value)}"#)[keyPath: path] == value)
            }
            for value in [range.lowerBound - 1, range.upperBound + 1, Int.max] {
                #expect(throws: DocumentFault.outOfRange(member: name, range: range)) {
                    try changed(#"{"\#(name)":\#(value)}"#)
                }
            }
            #expect(TenantSettings()[keyPath: path] == (try changed(#"{"\#(name)":null}"#))[keyPath: path])
            #expect(throws: DocumentFault.self) { try changed(#"{"\#(name)":"3"}"#) }
            #expect(throws: DocumentFault.self) { try changed(#"{"\#(name)":\#(range.lowerBound).5}"#) }
        }
    }

    @Test("an offline code lasts 30 or 60 seconds and nothing between")
    func periods() throws {
        for period in [30, 60] {
            #expect(try changed(#"{"offlineCodePeriodSeconds":\#(period)}"#).offlineCodePeriodSeconds == period)
        }
        for period in [31, 45, 59] {
            #expect(throws: DocumentFault.invalidValue(member: "offlineCodePeriodSeconds", allowed: "30 or 60")) {
                try changed(#"{"offlineCodePeriodSeconds":\#(period)}"#)
            }
        }
    }

    @Test("a whole number may be written with a fraction of zero")
    func wholeNumbers() throws {
        #expect(try changed(#"{"numberDigits":3.0}"#).numberDigits == 3)
    }

    @Test(
        "an unknown member is refused by name",
        arguments: [("numberDigit", "numberDigit"), ("minimumVersions", "minimumVersions.windows")])
    func unknownMember(member: String, path: String) {
        #expect(throws: DocumentFault.unknownMember(path)) { try changed(#"{"\#(member)":{"windows":null}}"#) }
    }

    @Test("words outside their list are refused")
    func words() throws {
        #expect(throws: DocumentFault.invalidValue(member: "profile", allowed: "standard, nist-800-63b-4")) {
            try changed(#"{"profile":"nist"}"#)
        }
        #expect(throws: DocumentFault.invalidValue(member: "offlineCodeAlgorithm", allowed: "SHA1, SHA256, SHA512")) {
            try changed(#"{"offlineCodeAlgorithm":"MD5"}"#)
        }
        #expect(try changed(#"{"profile":"nist-800-63b-4"}"#).profile == .nist80063b4)
    }

    @Test("a profile sets a floor under the digits of the number, raised risk too")
    func digits() throws {
        #expect(try changed(#"{"profile":"nist-800-63b-4"}"#).digits(riskRaised: false) == 6)
        #expect(TenantSettings().digits(riskRaised: false) == 2)
        #expect(TenantSettings().digits(riskRaised: true) == 3)
        #expect(try changed(#"{"numberDigits":5}"#).digits(riskRaised: true) == 5)
    }

    @Test("minimum versions merge platform by platform")
    func minimumVersions() throws {
        let settings = try changed(#"{"minimumVersions":{"ios":{"app":"2.1"},"android":null,"cli":{"app":"1"}}}"#)
        #expect(settings.minimumVersions == ["ios": .init(os: "8.0", app: "2.1"), "cli": .init(app: "1")])
        #expect(try TenantSettings(document: settings.document) == settings)
    }

    @Test(
        "a minimum that is not dotted numbers is refused, and so is an operating system's where there is none",
        arguments: [
            (#"{"ios":{"os":"latest"}}"#, "minimumVersions.ios.os"),
            (#"{"android":{"app":7}}"#, "minimumVersions.android.app"),
            (#"{"web":{"os":"1.0"}}"#, "minimumVersions.web.os"), (#"{"cli":{"os":"1.0"}}"#, "minimumVersions.cli.os"),
        ])
    func invalidMinimum(versions: String, member: String) {
        #expect { try changed(#"{"minimumVersions":\#(versions)}"#) } throws: { error in
            guard case DocumentFault.invalidValue(member, _) = error else { return false }
            return true
        }
    }
}
