import Foundation
import OfflineCode
import Testing

@Suite("The offline-code generator")
struct OfflineCodeTests {
    /// RFC 6238 appendix B: the seed is the digits 1234567890 repeated to the digest's length.
    private static let vectors: [(time: Double, sha1: String, sha256: String, sha512: String)] = [
        (59, "94287082", "46119246", "90693936"), (1_111_111_109, "07081804", "68084774", "25091201"),
        (1_111_111_111, "14050471", "67062674", "99943326"), (1_234_567_890, "89005924", "91819424", "93441116"),
        (2_000_000_000, "69279037", "90698825", "38618901"), (20_000_000_000, "65353130", "77737706", "47863826"),
    ]
    private static let sha1 = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
    private static let sha256 = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQGEZA"
    private static let sha512 =
        "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQGEZDGNA"

    @Test("codes are those of RFC 6238")
    func vectors() throws {
        for vector in Self.vectors {
            for (secret, algorithm, code) in [
                (Self.sha1, "SHA1", vector.sha1), (Self.sha256, "SHA256", vector.sha256),
                (Self.sha512, "sha-512", vector.sha512),
            ] {
                let generator = try OfflineCodeGenerator(secret: secret, algorithm: algorithm, digits: 8)
                #expect(generator.reading(at: Date(timeIntervalSince1970: vector.time)).code == code)
            }
        }
    }

    @Test("the time left counts down from the period to 1")
    func timeLeft() throws {
        let generator = try OfflineCodeGenerator(secret: Self.sha1)
        #expect(generator.reading(at: Date(timeIntervalSince1970: 60)).secondsLeft == 30)
        #expect(generator.reading(at: Date(timeIntervalSince1970: 89.9)).secondsLeft == 1)
    }

    @Test("a secret is read as people write it, and a URI as apps do")
    func forms() throws {
        let time = Date(timeIntervalSince1970: 59)
        let code = try OfflineCodeGenerator(secret: Self.sha1).reading(at: time).code
        #expect(
            try OfflineCodeGenerator(secret: "gezd gnbv-gy3t qojq gezd gnbv gy3t qojq").reading(at: time).code == code)
        let uri = try OfflineCodeGenerator(uri: "otpauth://totp/Demo:alice?secret=\(Self.sha1)&issuer=Demo")
        #expect(uri.reading(at: time).code == code)
        #expect(uri.account == "alice")
        let counter = try OfflineCodeGenerator(uri: "otpauth://hotp/alice?secret=\(Self.sha1)&counter=1")
        #expect(counter.reading(at: time) == .init(code: "287082", secondsLeft: nil))
    }

    @Test("what no code can be made from is refused by its reason")
    func refusals() {
        #expect(throws: OfflineCodeError.invalidSecret) { try OfflineCodeGenerator(secret: "01") }
        #expect(throws: OfflineCodeError.invalidSecret) { try OfflineCodeGenerator(secret: "") }
        #expect(throws: OfflineCodeError.invalidAlgorithm) {
            try OfflineCodeGenerator(secret: Self.sha1, algorithm: "MD5")
        }
        #expect(throws: OfflineCodeError.invalidDigits) { try OfflineCodeGenerator(secret: Self.sha1, digits: 9) }
        #expect(throws: OfflineCodeError.invalidPeriod) { try OfflineCodeGenerator(secret: Self.sha1, period: 0) }
        #expect(throws: OfflineCodeError.invalidURI) { try OfflineCodeGenerator(uri: "https://example.org") }
    }
}
