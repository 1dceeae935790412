import Proofs
import Testing

@Suite("Encodings")
struct EncodingTests {
    @Test("a random text never begins with a hyphen: 62 in the first six bits is drawn again")
    func randomText() {
        var draws: [[UInt8]] = [[0xF8, 0, 1], [0xFB, 0xFF, 2], [0xFC, 0, 3]]
        #expect(Base64URL.random(3) { _ in draws.removeFirst() } == "_AAD")
        #expect(draws.isEmpty)
    }

    @Test(
        "base64url writes and reads the examples of RFC 4648 section 10",
        arguments: [
            ("", ""), ("f", "Zg"), ("fo", "Zm8"), ("foo", "Zm9v"), ("foob", "Zm9vYg"), ("fooba", "Zm9vYmE"),
            ("foobar", "Zm9vYmFy"),
        ])
    func base64(_ plain: String, _ encoded: String) {
        #expect(Base64URL.encode(Array(plain.utf8)) == encoded)
        #expect(Base64URL.decode(encoded) == Array(plain.utf8))
    }

    @Test("base64url uses the safe alphabet") func alphabet() {
        #expect(Base64URL.encode([0xFB, 0xFF]) == "-_8")
        #expect(Base64URL.decode("-_8") == [0xFB, 0xFF])
    }

    @Test(
        "base64url refuses what is not the one text of its bytes",
        arguments: ["Zg==", "Zg=", "Z", "Zm9vY", "Zh", "Zm9", " Zg", "Zg\n", "Z g", "+_8", "/w", "Zg\0", "Zé"])
    func base64Refused(_ text: String) { #expect(Base64URL.decode(text) == nil) }

    @Test(
        "Base32 writes and reads the examples of RFC 4648 section 10",
        arguments: [
            ("", ""), ("f", "MY"), ("fo", "MZXQ"), ("foo", "MZXW6"), ("foob", "MZXW6YQ"), ("fooba", "MZXW6YTB"),
            ("foobar", "MZXW6YTBOI"),
        ])
    func base32(_ plain: String, _ encoded: String) {
        #expect(Base32.encode(Array(plain.utf8)) == encoded)
        #expect(Base32.decode(encoded) == Array(plain.utf8))
        #expect(Base32.decode(encoded.lowercased()) == Array(plain.utf8))
    }

    @Test(
        "Base32 refuses what is not the one text of its bytes",
        arguments: ["MY======", "M", "MZX", "MZXW6Y", "MZ", "M1", "M8", "MY MY", "MY\n"])
    func base32Refused(_ text: String) { #expect(Base32.decode(text) == nil) }

    @Test("what is encoded is read again, whatever the length") func everyLength() {
        for length in 0...70 {
            let bytes = (0..<length).map { _ in UInt8.random(in: 0...255) }
            #expect(Base64URL.decode(Base64URL.encode(bytes)) == bytes)
            #expect(Base32.decode(Base32.encode(bytes)) == bytes)
        }
    }
}
