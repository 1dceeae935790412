import Testing

@testable import GatewayService

@Suite struct HeaderTextTests {
    @Test(
        "spaces and tabs around a word are dropped, and nothing else is",
        arguments: [
            ("", ""), (" \t ", ""), ("a", "a"), ("\t a\tb \t", "a\tb"), (" ü\u{A0} ", "ü\u{A0}"), ("👍🏽 ", "👍🏽"),
        ])
    func trimmed(_ text: String, _ expected: String) {
        #expect(Substring(text).trimmed == expected)
    }
}
