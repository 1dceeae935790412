import Testing

@testable import Domain

@Suite struct NameTests {
    @Test(
        "a name that people read has 1 to 64 characters as they count them, and nothing that they cannot see",
        arguments: [
            ("Payroll", true), ("Zoë & Co. (Zürich)", true), (String(repeating: "क्षि", count: 40), true),
            (String(repeating: "a", count: 64), true), (String(repeating: "a", count: 65), false),
            (String(repeating: "क्षि", count: 65), false), ("e" + String(repeating: "\u{301}", count: 7), true),
            ("e" + String(repeating: "\u{301}", count: 8), false), ("", false), (" ", false), ("a\nb", false),
            ("a\u{200B}b", false), ("a\u{2028}b", false), ("a\u{202E}b", false), ("a\u{E000}b", false),
            ("a\u{0}b", false), ("a\u{FEFF}b", false), ("می\u{200C}خواهم", true), ("क्\u{200D}ष", true),
            ("👩🏽\u{200D}💻 Code", true),
            ("❤\u{FE0F}\u{200D}🔥", true), ("Pay\u{200D}roll", false), ("字\u{200C}体", false), ("می\u{200C}", false),
            ("👩\u{200D}\u{200D}💻", false), ("1\u{200D}2", false),
        ])
    func displayName(text: String, isValid: Bool) {
        #expect(DisplayName.isValid(text) == isValid)
    }

    @Test(
        "a user name has 1 to 256 code points, none a control character",
        arguments: [
            ("alice", true), ("alice@example.org", true), ("Жанна", true), (String(repeating: "é", count: 256), true),
            (String(repeating: "a", count: 257), false), (String(repeating: "e\u{301}", count: 129), false),
            ("", false), ("a\u{0}", false), ("a\nb", false), ("a\u{85}b", false),
        ])
    func username(text: String, isValid: Bool) {
        #expect(Username.isValid(text) == isValid)
    }

    @Test("a pass lives as long as the tenant's setting may say")
    func passLifetime() {
        #expect(TemporaryAccessPass.lifetimeMinutes == 10...43_200)
        #expect(TenantSettings.range(of: \.numberDigits) == 2...6)
    }

    @Test(
        "plain text has nothing that hides, moves a cursor, breaks a line or turns the direction",
        arguments: [
            ("Zoë 🦊 Ünal", "Zoë 🦊 Ünal"), ("a\u{1B}[2Jb\nc\u{85}", "a[2Jbc"),
            ("a\u{202E}b\u{2066}\u{200B}\u{2028}c", "abc"),
            ("\u{E000}\u{0}", ""),
        ])
    func plain(text: String, plain: String) { #expect(text.plain == plain) }
}
