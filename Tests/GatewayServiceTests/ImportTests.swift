import DeviceAPI
import Domain
import Foundation
import GatewayService
import Messaging
import NIOHTTP1
import SwiftProtobuf
import Synchronization
import TestSupport
import Testing
import Wire

@Suite struct ImportTests {
    private struct Batch: Sendable {
        let id: Domain.RequestID
        let requestID: String
        let lines: Int
    }

    private static let path = "/v1/demo/admin/users:import"
    private static let ndjson = ("Content-Type", "application/x-ndjson")

    private static func recording(in gateway: GatewayHarness, _ batches: Mutex<[Batch]>.Box) {
        gateway.policy()
        gateway.add(.registration) {
            $0.on(ImportUsers.self) { request, context in
                batches.value.withLock {
                    $0.append(
                        Batch(id: context.call.requestID, requestID: request.requestID, lines: request.lines.count))
                }
                return .with {
                    $0.created = UInt32(request.lines.count)
                    $0.problems = [.with { ($0.line, $0.code, $0.detail) = (request.lines[0].line, "malformed", "no") }]
                }
            }
        }
    }

    @Test("the same Idempotency-Key sends the same batches under the same ids, another key under others")
    func repeats() async throws {
        try await GatewayHarness.run { gateway in
            let batches = Mutex<[Batch]>.Box([])
            Self.recording(in: gateway, batches)
            let file = Array((0..<1200).map { #"{"username":"u\#($0)"}"# }.joined(separator: "\n").utf8)
            for key in ["k1", "k1", "k2"] {
                let answer = try await gateway.send(
                    .POST, Self.path, [GatewayHarness.administrator, Self.ndjson, ("Idempotency-Key", key)], body: file)
                #expect(answer.status == 200)
            }
            let seen = batches.value.withLock { $0 }
            try #require(seen.count == 9)
            let (first, second, other) = (seen[0..<3], seen[3..<6], seen[6..<9])
            #expect(first.map(\.lines) == [500, 500, 200])
            #expect(first.map(\.id) == second.map(\.id) && first.map(\.requestID) == second.map(\.requestID))
            #expect(Set(first.map(\.id)).count == 3 && Set(first.map(\.id)).isDisjoint(with: other.map(\.id)))
            #expect(first.allSatisfy { $0.id.isCallersKey })
        }
    }

    @Test("long lines travel in batches that fit into a message")
    func longLines() async throws {
        try await GatewayHarness.run { gateway in
            let batches = Mutex<[Batch]>.Box([])
            Self.recording(in: gateway, batches)
            let name = String(repeating: "字", count: 5000)
            let file = (0..<40).map { #"{"username":"u\#($0)","displayName":"\#(name)"}"# }.joined(separator: "\n")
            let answer = try await gateway.send(
                .POST, Self.path, [GatewayHarness.administrator, Self.ndjson], body: Array(file.utf8))
            #expect(answer.status == 200)
            // Eight lines of 15 kB fit into 128 KiB.
            #expect(batches.value.withLock { $0.map(\.lines) } == [8, 8, 8, 8, 8])
        }
    }

    @Test("a quotation mark in a field of a CSV stands for itself and swallows no line", arguments: ["", "\u{FEFF}"])
    func marksWithin(byteOrderMark: String) async throws {
        try await GatewayHarness.run { gateway in
            let batches = Mutex<[Batch]>.Box([])
            Self.recording(in: gateway, batches)
            let file = #"""
                \#(byteOrderMark)"username",displayName
                anna,Anna 6" tall
                bert,"Bert ""the
                Tall"""
                cleo,"Cleo" x
                dora,Dora
                """#
            let answer = try await gateway.send(
                .POST, Self.path, [GatewayHarness.administrator, ("Content-Type", "text/csv")], body: Array(file.utf8))
            #expect(answer.status == 200)
            #expect(batches.value.withLock { $0.map(\.lines) } == [3])
            let report = try JSONDecoder().decode(ImportReport.self, from: Data(answer.body.utf8))
            #expect(report.problems.map(\.line).sorted() == [2, 5])
        }
    }

    @Test("a file of bad lines gets its report: all are counted, the first ten thousand listed, the good lines taken")
    func badLines() async throws {
        try await GatewayHarness.run { gateway in
            let batches = Mutex<[Batch]>.Box([])
            Self.recording(in: gateway, batches)
            var lines = Array(repeating: "x", count: 25_000)
            lines[3] = #"{"username":"early"}"#
            lines[24_000] = #"{"username":"late"}"#
            let answer = try await gateway.send(
                .POST, Self.path, [GatewayHarness.administrator, Self.ndjson],
                body: Array(lines.joined(separator: "\n").utf8))
            #expect(answer.status == 200)
            #expect(
                answer.body.hasPrefix(
                    #"{"created":2,"updated":0,"unchanged":0,"problemCount":24999,"problems":[{"line":1,"#))
            let numbers = answer.body.split(separator: #"{"line":"#).dropFirst().compactMap { part in
                Int(part.prefix { $0 != "," })
            }
            // The fourth was refused by registration, and is told with the last batch.
            #expect(numbers == Array(1...10_000))
        }
    }

    @Test("each fault of a line has a stable word and what it speaks of, beside the sentence")
    func faults() async throws {
        let lines: [(String, reason: String?, parameters: [String: String])] = [
            (#"{"username":"a""#, "not_json", [:]), (#"["a"]"#, "not_json", [:]),
            (#"{"displayName":"a"}"#, "member_missing", ["member": "username"]),
            (#"{"username":7}"#, "member_type", ["member": "username"]),
            (#"{"username":"a","groups":"x"}"#, "member_type", ["member": "groups"]),
            (#"{"username":"a","colour":"x"}"#, nil, ["member": "colour"]), (#"{"username":""}"#, "username", [:]),
            (#"{"username":"\#(String(repeating: "x", count: 20_000))"}"#, "line_too_long", ["max": "16384"]),
        ]
        try await GatewayHarness.run { gateway in
            gateway.policy()
            let answer = try await gateway.send(
                .POST, Self.path, [GatewayHarness.administrator, Self.ndjson],
                body: Array(lines.map(\.0).joined(separator: "\n").utf8))
            let report = try JSONDecoder().decode(ImportReport.self, from: Data(answer.body.utf8))
            #expect(report.problems.map(\.reason) == lines.map(\.reason))
            #expect(report.problems.map(\.parameters) == lines.map(\.parameters))
            let csv = try await gateway.send(
                .POST, Self.path, [GatewayHarness.administrator, ("Content-Type", "text/csv")],
                body: Array("username,displayName\na,b,c\n\"a\"b,c\n".utf8))
            let other = try JSONDecoder().decode(ImportReport.self, from: Data(csv.body.utf8))
            #expect(other.problems.map(\.reason) == ["field_count", "not_csv"])
            #expect(other.problems.first?.parameters == ["found": "3", "expected": "2"])
        }
    }

    @Test(
        "a header that is not understood refuses the file by a stable word",
        arguments: [
            (Array("username;displayName\nx;y\n".utf8), "header_separator"),
            (Array("username\tdisplayName\nx\ty\n".utf8), "header_separator"),
            (Array("username,colour\nx,y\n".utf8), "header_columns"),
            (Array("username,username\n".utf8), "header_columns"),
            (Array("displayName\nx\n".utf8), "header_without"), (Array("\"username\"x\n".utf8), "not_csv"),
            ([0x75, 0x00, 0x0A, 0x00], "not_text"),
            (Array(repeating: 0x75, count: 20_000), "line_too_long"),
        ])
    func headers(file: [UInt8], reason: String) async throws {
        try await GatewayHarness.run { gateway in
            gateway.policy()
            let answer = try await gateway.send(
                .POST, Self.path, [GatewayHarness.administrator, ("Content-Type", "text/csv")], body: file)
            #expect(answer.status == 400)
            #expect(answer.problem?.members["reason"] == reason)
            #expect(answer.problem?.detail.hasPrefix("the header ") == true)
        }
    }

    @Test(
        "a file in another encoding is refused by the name of that, and nothing of it is taken",
        arguments: ["UTF-16LE", "UTF-16BE", "UTF-32LE", "UTF-32BE"], ["text/csv", "application/x-ndjson"])
    func encodings(encoding: String, type: String) async throws {
        try await GatewayHarness.run { gateway in
            gateway.policy()
            let zeros = [UInt8](repeating: 0, count: encoding.hasPrefix("UTF-16") ? 1 : 3)
            let mark: [UInt8] = zeros.count == 1 ? [0xFE, 0xFF] : [0x00, 0x00, 0xFE, 0xFF]
            let text = type == "text/csv" ? "username\r\nalice\r\n" : #"{"username":"alice"}"#
            let units = [mark] + text.utf8.map { zeros + [$0] }
            let file = units.flatMap { encoding.hasSuffix("LE") ? $0.reversed() : $0 }
            let answer = try await gateway.send(
                .POST, Self.path, [GatewayHarness.administrator, ("Content-Type", type)], body: file)
            #expect(answer.status == 400)
            #expect(answer.problem?.members["reason"] == "other_encoding")
            #expect(answer.problem?.members["encoding"] == encoding)
        }
    }
}

extension Mutex where Value: Sendable {
    /// A mutex that several closures hold.
    fileprivate final class Box: Sendable {
        let value: Mutex<Value>
        init(_ value: Value) { self.value = Mutex(value) }
    }
}
