import Domain
import Foundation
import Proofs
import Testing

@Suite("One-time passwords")
struct OneTimePasswordTests {
    @Test("HOTP gives the codes of RFC 4226 appendix D", arguments: Vector.all("hotp"))
    func hotp(_ vector: Vector) throws {
        let (secret, digits) = (try vector.hex("secret"), Int(try vector.number("digits")))
        let counter = UInt64(try vector.number("counter"))
        let password = try #require(OneTimePassword(secret: secret, digits: digits))
        #expect(password.code(counter: counter) == vector["code"])
    }

    @Test("TOTP gives the codes of RFC 6238 appendix B", arguments: Vector.all("totp"))
    func totp(_ vector: Vector) throws {
        let algorithm = try #require(CodeAlgorithm(rawValue: try vector.text("algorithm")))
        let (secret, time) = (try vector.hex("secret"), Timestamp(seconds: try vector.number("time")))
        let (digits, period) = (Int(try vector.number("digits")), Int(try vector.number("period")))
        let password = try #require(
            TimeBasedPassword(secret: secret, algorithm: algorithm, digits: digits, period: period))
        #expect(password.code(at: time) == vector["code"])
    }

    @Test("random secrets give the codes that oathtool gives", arguments: CodeAlgorithm.allCases, [6, 7, 8])
    func oathtool(_ algorithm: CodeAlgorithm, _ digits: Int) throws {
        for period in [30, 60] {
            let secret = (0..<Int.random(in: 16...64)).map { _ in UInt8.random(in: 0...255) }
            let time = Timestamp(seconds: Int64.random(in: 0...4_000_000_000))
            let password = try #require(
                TimeBasedPassword(secret: secret, algorithm: algorithm, digits: digits, period: period))
            let expected = try output(
                "oathtool", "--totp=\(algorithm.rawValue)", "--digits=\(digits)", "--time-step-size=\(period)s",
                "--now=\(time.description.prefix(19).replacing("T", with: " ")) UTC", "--base32", Base32.encode(secret))
            #expect(password.code(at: time) == expected)
        }
    }

    @Test("a code is found in the window and nowhere else")
    func window() throws {
        let password = try #require(TimeBasedPassword(secret: Array("12345678901234567890".utf8)))
        let now = Timestamp(seconds: 3000)
        for step in Int64(97)...103 {
            let code = password.code(step: step)
            #expect(password.step(of: code, at: now, window: 1) == ((99...101).contains(step) ? step : nil))
            #expect(password.step(of: code, at: now, window: 0) == (step == 100 ? step : nil))
        }
        #expect(password.step(of: "", at: now, window: 1) == nil)
        #expect(password.step(of: "0" + password.code(step: 100), at: now, window: 1) == nil)
        #expect(password.remaining(at: Timestamp(milliseconds: 3_000_500)) == .milliseconds(29_500))
    }

    @Test("parameters that no rule allows make no password")
    func refused() {
        #expect(OneTimePassword(secret: [1], digits: 5) == nil)
        #expect(OneTimePassword(secret: [1], digits: 9) == nil)
        #expect(OneTimePassword(secret: []) == nil)
        #expect(TimeBasedPassword(secret: [1], period: 29) == nil)
        #expect(TimeBasedPassword(secret: [1], period: 0) == nil)
    }

    private func output(_ arguments: String...) throws -> String {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = arguments
        let pipe = Pipe()
        process.standardOutput = pipe
        try process.run()
        let data = pipe.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        #expect(process.terminationStatus == 0)
        return String(decoding: data, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
    }
}
