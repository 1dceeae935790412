import Foundation
import SwiftProtobuf
import Testing
import Wire

/// `Tests/Vectors/messages/1.0.txt` has the bodies of version 1.0 as an encoder of another kind writes them, with every field set. A process
/// of that version may be on the other side during an upgrade.
@Suite("Bodies of an earlier version")
struct FrozenBodyTests {
    private struct Pair {
        let number: UInt16
        let request, reply: String
        let requestBody, replyBody: [UInt8]
    }

    private static func pairs() throws -> [Pair] {
        let file = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "Vectors/messages/1.0.txt")
        let lines = try String(contentsOf: file, encoding: .utf8).split(separator: "\n").filter { !$0.hasPrefix("#") }
        return try lines.map { line in
            let words = line.split(separator: " ").map(String.init)
            try #require(words.count == 5)
            return Pair(
                number: try #require(UInt16(words[0])), request: words[1], reply: words[2],
                requestBody: try bytes(words[3]), replyBody: try bytes(words[4]))
        }
    }

    private static func bytes(_ text: String) throws -> [UInt8] {
        guard text != "-" else { return [] }
        let digits = Array(text)
        return try stride(from: 0, to: digits.count, by: 2).map {
            try #require(UInt8(String(digits[$0...$0 + 1]), radix: 16))
        }
    }

    /// Whether this version finds the same in a body as the one that wrote it: every field under its number and of its type, nothing left
    /// over, and what was added since absent.
    private func reads<Body: Message>(_ type: Body.Type, _ body: [UInt8]) throws -> Bool {
        var decoding = BinaryDecodingOptions()
        decoding.discardUnknownFields = true
        var encoding = BinaryEncodingOptions()
        encoding.useDeterministicOrdering = true
        let read = try Body(serializedBytes: body, options: decoding)
        return try read.serializedBytes(options: encoding) == body
    }

    private func check<Request: ServiceRequest>(_ type: Request.Type, _ pair: Pair) throws {
        #expect(Request.method.id == pair.number && String(describing: Request.Reply.self) == pair.reply)
        #expect(try reads(Request.self, pair.requestBody), "\(pair.request)")
        #expect(try reads(Request.Reply.self, pair.replyBody), "\(pair.reply)")
    }

    @Test("every request and reply of version 1.0 is still read as it was written, and written the same")
    func version1() throws {
        let pairs = try Self.pairs()
        #expect(pairs.count == 78)
        for pair in pairs {
            let type = try #require(RequestTable.all.first { $0.method.name == pair.request }, "\(pair.request)")
            try check(type, pair)
        }
    }

    @Test("a field under another number, or of another type, would be noticed")
    func mutations() throws {
        let pair = try #require(try Self.pairs().first { $0.request == "IssueToken" })
        #expect(try reads(IssueTokenReply.self, pair.replyBody))
        var renumbered = pair.replyBody
        renumbered[0] += 8 * 6
        #expect(try !reads(IssueTokenReply.self, renumbered))
        // Read as a message that has a number where this one has text.
        #expect(try !reads(AuthenticateClientReply.self, [0x12, 1, 0x61]))
    }
}
