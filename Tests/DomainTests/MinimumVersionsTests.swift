import Domain
import Testing

@Suite("Minimum versions")
struct MinimumVersionsTests {
    @Test(
        "dotted numbers are compared number by number",
        arguments: [
            ("8.0", "17.2"), ("8", "8.0.1"), ("1.9", "1.10"), ("0", "0.0.1"), ("6.0", "10"), ("1.2.3.4.5", "1.2.3.4.6"),
        ])
    func order(older: String, newer: String) throws {
        let (older, newer) = (try #require(DottedVersion(older)), try #require(DottedVersion(newer)))
        #expect(older < newer)
        #expect(!(newer < older))
    }

    @Test("missing numbers count as zero", arguments: [("8", "8.0"), ("8.0.0", "8"), ("0", "0.0"), ("08", "8")])
    func equal(left: String, right: String) throws {
        #expect(try #require(DottedVersion(left)) == (try #require(DottedVersion(right))))
    }

    @Test(
        "anything else is no version",
        arguments: [
            "", ".", "1.", ".1", "1..2", "1.2b", "v1", "-1", "+1", " 1", "1 ", "1.2.3.4.5.6.7", "9999999999", "１",
            "1,2",
        ])
    func garbage(text: String) { #expect(DottedVersion(text) == nil) }

    @Test("a device below a minimum is told which it misses, the operating system's first")
    func missed() {
        var settings = TenantSettings()
        settings.minimumVersions["ios"]?.app = "2.0"
        func missed(_ platform: Platform, _ os: String, _ app: String) -> MissedMinimum? {
            settings.missedMinimum(platform: platform, osVersion: os, appVersion: app)
        }
        #expect(missed(.ios, "17.2", "2.0") == nil)
        #expect(missed(.ios, "8", "10.0") == nil)
        #expect(missed(.ios, "7.1.2", "1.0") == MissedMinimum(part: .operatingSystem, minimum: "8.0"))
        #expect(missed(.ios, "8.0", "1.9") == MissedMinimum(part: .app, minimum: "2.0"))
        #expect(missed(.android, "5.1", "1.0") == MissedMinimum(part: .operatingSystem, minimum: "6.0"))
        #expect(missed(.android, "6", "") == nil)
    }

    @Test("what is not a version is older than every minimum", arguments: ["", "seventeen", "17.2-beta"])
    func unreadable(version: String) {
        #expect(TenantSettings().missedMinimum(platform: .ios, osVersion: version, appVersion: "1") != nil)
    }

    @Test("a browser and a terminal have no minimum of an operating system", arguments: [Platform.web, .cli])
    func noOperatingSystem(platform: Platform) {
        var settings = TenantSettings()
        settings.minimumVersions[platform.rawValue] = .init(os: "99", app: "2")
        #expect(settings.missedMinimum(platform: platform, osVersion: "1", appVersion: "2") == nil)
        #expect(
            settings.missedMinimum(platform: platform, osVersion: "1", appVersion: "1.9")
                == MissedMinimum(part: .app, minimum: "2"))
    }
}
