import Domain
import Foundation
import Logging
import Synchronization
import Testing

@testable import Telemetry

@Suite final class JSONLogHandlerTests: Sendable {
    private let written = Mutex<[String]>([])
    private var lines: [String] { written.withLock(\.self) }

    private func logger(level: Logger.Level = .info) -> Logger {
        Logger(label: "test") { _ in
            JSONLogHandler(
                identity: LogIdentity(service: "policy", instance: "1f"), level: level,
                now: { Timestamp(milliseconds: 1_795_473_632_007) },
                write: { line in self.written.withLock { $0.append(line) } })
        }
    }

    @Test("a record is one line of JSON")
    func record() {
        logger().info(
            "started", metadata: ["requestId": "r1", "port": "\(7)", "list": ["a", "b"], "inner": ["x": "y"]])
        #expect(
            lines == [
                #"{"ts":"2026-11-23T22:40:32.007Z","level":"info","service":"policy","instance":"1f","msg":"started","#
                    + #""inner.x":"y","list":["a","b"],"port":"7","requestId":"r1"}"# + "\n"
            ])
    }

    @Test("whatever stands in a record, it stays one line that reads back")
    func escaping() throws {
        let text = "a\"b\\c\n\r\t\u{0}\u{1F}\u{7F}\u{85}\u{2028}\u{2029} ü 🙂"
        logger().info("\(text)", metadata: [text: "\(text)"])
        let line = try #require(lines.first)
        #expect(line.split(whereSeparator: \.isNewline).count == 1 && line.hasSuffix("}\n"))
        let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: String]
        #expect(object?["msg"] == text && object?[text] == text)
    }

    @Test("metadata cannot take the place of what the handler writes")
    func reserved() throws {
        logger().info("m", metadata: ["level": "none", "msg": "other"])
        let line = try #require(lines.first)
        #expect(
            line.contains(#""level":"info""#) && line.contains(#""level_":"none""#) && line.contains(#""msg_":"other""#)
        )
    }

    @Test("what is below the level is not written, and a logger's own metadata is")
    func level() {
        var logger = logger(level: .warning)
        logger[metadataKey: "tenant"] = "demo"
        logger.info("quiet")
        logger.warning("loud")
        #expect(lines.count == 1 && lines[0].contains(#""tenant":"demo""#))
    }

    @Test("lines from many tasks are never mixed")
    func wholeLines() async throws {
        let pipe = Pipe()
        let output = LineOutput(descriptor: pipe.fileHandleForWriting.fileDescriptor)
        async let read = pipe.fileHandleForReading.readToEnd()
        await withTaskGroup(of: Void.self) { group in
            for number in 0..<8 {
                group.addTask {
                    for _ in 0..<50 { output.write(String(repeating: "\(number)", count: 9_000) + "\n") }
                }
            }
        }
        try pipe.fileHandleForWriting.close()
        let lines = String(decoding: try await read ?? Data(), as: UTF8.self).split(separator: "\n")
        #expect(lines.count == 400 && lines.allSatisfy { $0.count == 9_000 && Set($0).count == 1 })
    }
}
