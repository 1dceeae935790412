import Domain
import Testing

@Suite("JSON values")
struct JSONValueTests {
    @Test(
        "a merge patch does what RFC 7396 appendix A says",
        arguments: [
            (#"{"a":"b"}"#, #"{"a":"c"}"#, #"{"a":"c"}"#),
            (#"{"a":"b"}"#, #"{"b":"c"}"#, #"{"a":"b","b":"c"}"#),
            (#"{"a":"b"}"#, #"{"a":null}"#, #"{}"#),
            (#"{"a":"b","b":"c"}"#, #"{"a":null}"#, #"{"b":"c"}"#),
            (#"{"a":["b"]}"#, #"{"a":"c"}"#, #"{"a":"c"}"#),
            (#"{"a":"c"}"#, #"{"a":["b"]}"#, #"{"a":["b"]}"#),
            (#"{"a":{"b":"c"}}"#, #"{"a":{"b":"d","c":null}}"#, #"{"a":{"b":"d"}}"#),
            (#"{"a":[{"b":"c"}]}"#, #"{"a":[1]}"#, #"{"a":[1]}"#),
            (#"["a","b"]"#, #"["c","d"]"#, #"["c","d"]"#),
            (#"{"a":"b"}"#, #"["c"]"#, #"["c"]"#),
            (#"{"a":"foo"}"#, #"null"#, #"null"#),
            (#"{"a":"foo"}"#, #""bar""#, #""bar""#),
            (#"{"e":null}"#, #"{"a":1}"#, #"{"a":1,"e":null}"#),
            (#"[1,2]"#, #"{"a":"b","c":null}"#, #"{"a":"b"}"#),
            (#"{}"#, #"{"a":{"bb":{"ccc":null}}}"#, #"{"a":{"bb":{}}}"#),
        ])
    func mergePatch(target: String, patch: String, result: String) throws {
        #expect(try JSONValue(parsing: target).merging(JSONValue(parsing: patch)) == JSONValue(parsing: result))
    }

    @Test("reading what was written gives the same value, and the text of equal values is the same")
    func roundTrip() throws {
        let value: JSONValue = [
            "text": "quote \" backslash \\ newline \n tab \t bell \u{7} snow ☃ flag 🇸🇪",
            "numbers": [0, -1, 9_223_372_036_854_775_807], "fraction": .number(-2.5e-3), "flags": [true, false, nil],
            "empty": [:],
        ]
        let text = value.canonicalText
        #expect(try JSONValue(parsing: text) == value)
        #expect(try JSONValue(parsing: " \n" + text + "\t").canonicalText == text)
    }

    @Test("escapes and surrogate pairs are read")
    func escapes() throws {
        #expect(try JSONValue(parsing: #""\u0041\ud83d\ude00\/\b\f\n\r\t\"\\""#) == "A😀/\u{8}\u{C}\n\r\t\"\\")
    }

    @Test(
        "what is not JSON is refused",
        arguments: [
            "", " ", "{", "}", "[1,]", "{\"a\":1,}", "{a:1}", "'a'", "01", "1.", ".5", "+1", "1e", "NaN", "-", "tru",
            "nullx", "1 2", "\"a",
            #""\u0000""#, #"{"a\u0000b":1}"#,
            "\"\u{1}\"", #""\x""#, #""\ud800""#, #""\ud800A""#, #""\u12""#, "[1 2]", "1e999", "\u{FEFF}1",
        ])
    func refused(text: String) {
        #expect(throws: JSONFault.self) { try JSONValue(parsing: text) }
    }

    @Test("bytes that are not UTF-8 are refused")
    func notText() {
        #expect(throws: JSONFault.self) { try JSONValue(parsing: [0x22, 0xFF, 0x22]) }
    }

    @Test("a member named twice is refused by name")
    func duplicateMember() {
        #expect(throws: JSONFault.duplicateMember("a")) { try JSONValue(parsing: #"{"a":1,"\u0061":2}"#) }
    }

    @Test("U+0000 is refused, also as an escape")
    func zeroCharacter() {
        #expect(throws: JSONFault.zeroCharacter) { try JSONValue(parsing: #"{"a":"b\u0000"}"#) }
        #expect(throws: JSONFault.syntax(at: 2)) { try JSONValue(parsing: "\"\u{0}\"") }
    }

    @Test("a fault says what is wrong and where, in a line without control characters")
    func details() {
        #expect(JSONFault.syntax(at: 7).detail(of: "the body") == "the body is not JSON at byte 7")
        let name = "a\n" + String(repeating: "b", count: 200)
        let detail = JSONFault.duplicateMember(name).detail(of: "the body")
        #expect(detail == "the body has the member a\(String(repeating: "b", count: 99)) twice")
    }

    @Test(
        "a quoted text reads back, is one line and moves no cursor",
        arguments: ["", "a\"b\\c", "\n\r\t\u{1}\u{1F}\u{7F}\u{85}\u{9F}\u{2028}\u{2029}", "ü☃😀"])
    func quoted(text: String) throws {
        let quoted = JSONValue.quoted(text)
        #expect(try JSONValue(parsing: quoted) == .string(text))
        #expect(
            !quoted.contains { $0.isNewline }
                && quoted.unicodeScalars.allSatisfy { $0.properties.generalCategory != .control })
    }

    @Test("nesting ends at the limit")
    func depth() throws {
        func nested(_ depth: Int) -> String {
            String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
        }
        _ = try JSONValue(parsing: nested(JSONValue.depthMax))
        #expect(throws: JSONFault.tooDeep) { try JSONValue(parsing: nested(JSONValue.depthMax + 1)) }
        #expect(throws: JSONFault.tooDeep) { try JSONValue(parsing: nested(100_000)) }
    }
}
