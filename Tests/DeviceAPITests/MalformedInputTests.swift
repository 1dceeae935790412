import DeviceAPI
import Domain
import Foundation
import TestSupport
import Testing
import Wire

@testable import GatewayService

@Suite("Malformed inputs")
struct MalformedInputTests {
    fileprivate func read<Body: APIRequest>(_ bytes: [UInt8], as type: Body.Type) {
        do {
            _ = try JSONBody.decode(type, from: bytes)
        } catch {
            #expect(error.code == .malformed || error.code == .unknownMember)
            // The sentence goes into a problem document.
            #expect(error.detail.unicodeScalars.allSatisfy { $0.properties.generalCategory != .control })
        }
    }

    /// Characters of which JSON is made, so that what is made of them comes close.
    private static let pieces: [String] = [
        "{", "}", "[", "]", ":", ",", "\"", "\\", "\\u", "\\uD83D", "\\uDE00", "d800", "null", "true", "false", "0",
        "-1", "1e999", "1.5", "username", "\"username\"", "\"code\":", "\"push\":{", "\u{0}", "\n", "ü", "😀", " ",
    ]

    private func input(_ generator: inout SeededGenerator, from samples: [[UInt8]]) -> [UInt8] {
        switch Int.random(in: 0..<3, using: &generator) {
        case 0:
            let count = Int.random(in: 0...80, using: &generator)
            return (0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) }
        case 1:
            let count = Int.random(in: 0...30, using: &generator)
            let text = (0..<count).compactMap { _ in Self.pieces.randomElement(using: &generator) }
            return Array(("{" + text.joined()).utf8)
        default:
            var bytes = samples.randomElement(using: &generator) ?? [0]
            for _ in 0..<Int.random(in: 1...3, using: &generator) {
                let index = Int.random(in: bytes.indices, using: &generator)
                bytes[index] = UInt8.random(in: 0...255, using: &generator)
            }
            return Array(bytes.prefix(Int.random(in: 1...bytes.count, using: &generator)))
        }
    }

    @Test("a thousand malformed bodies are refused or read, and never trap the gateway")
    func requests() throws {
        var generator = SeededGenerator(seed: 21)
        let samples = try Samples.requests.map { try $0.body.json }
        for _ in 0..<1_000 {
            let bytes = input(&generator, from: samples)
            for (body, _) in Samples.requests { body.read(bytes, by: self) }
        }
    }

    private func read<Body: Decodable>(_ bytes: [UInt8], asReply type: Body.Type) {
        _ = try? JSONDecoder().decode(type, from: Data(bytes))
    }

    @Test("a thousand malformed replies never trap a phone or an application")
    func replies() throws {
        var generator = SeededGenerator(seed: 22)
        let time = Samples.time
        let status = SignInStatus(id: "c1", status: .pending, expiresAt: time)
        let pending = PendingRequest(id: "c1", purpose: .signIn, content: "e30", expiresAt: time)
        let problem = ProblemDocument(code: "refused", title: "t", status: 403, requestId: "r", members: ["a": "b"])
        let samples = [try Samples.json(status), try Samples.json(pending), try Samples.json(problem)]
        for _ in 0..<1_000 {
            let bytes = input(&generator, from: samples)
            read(bytes, asReply: SignInStatus.self)
            read(bytes, asReply: PendingRequests.self)
            read(bytes, asReply: PendingRequest.self)
            read(bytes, asReply: ActivationReply.self)
            read(bytes, asReply: AnswerReply.self)
            read(bytes, asReply: ProblemDocument.self)
            read(bytes, asReply: AuditDocument.self)
            read(bytes, asReply: RequestContent.self)
        }
    }

    @Test("times at and beyond the edges of what can be written never trap")
    func times() {
        var generator = SeededGenerator(seed: 23)
        let digits = Array("0123456789-:.TZtz+ ")
        for _ in 0..<1_000 {
            var text = Array("9999-12-31T23:59:60.999999999999+99:59")
            for _ in 0..<Int.random(in: 1...4, using: &generator) {
                text[Int.random(in: text.indices, using: &generator)] = digits.randomElement(using: &generator) ?? "0"
            }
            _ = Timestamp(rfc3339: String(text.prefix(Int.random(in: 0...text.count, using: &generator))))
        }
    }
}

extension APIRequest {
    fileprivate var json: [UInt8] { get throws { try Samples.json(self) } }
    fileprivate func read(_ bytes: [UInt8], by tests: MalformedInputTests) { tests.read(bytes, as: Self.self) }
}
