// Measures round trips through this project's Messaging beside a plain libzmq DEALER/ROUTER loop, in one run on one machine.
//
// Owns: both ends of either loop, and the sockets of the plain one. Must not know: how Messaging works inside, or what a service does.
// Start reading at `MessagingBench.run`.

import ArgumentParser
import Foundation
import Messaging

@main
struct MessagingBench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "countersign-messaging-bench",
        abstract: "Round trips a second through Messaging and through plain libzmq, with CURVE on and off.",
        discussion: """
            With CURVE both go through tcp on loopback, without it through ipc, which is the only way that Messaging goes without keys. \
            The two are measured in turn, --rounds times, and the median round of each counts: what the machine does meanwhile hits both.
            """)

    @Option(help: "Requests that are unanswered at the same time (1 to 512).") var outstanding = [1, 16, 256]
    @Option(help: "Bytes of a body, there and back (8 to 65,536).") var bytes = 256
    @Option(help: "How long a round takes, in seconds (0.05 to 60).") var seconds = 2.0
    @Option(help: "How many rounds each is measured (1 to 99).") var rounds = 3
    @Option(help: "The port of the tcp loops, and the next one (1024 to 32766).") var port = 7490
    @Option(help: "Write the figures here, as JSON.") var json: String?

    func validate() throws {
        guard outstanding.allSatisfy((1...512).contains) else { throw ValidationError("--outstanding takes 1 to 512") }
        guard (8...65_536).contains(bytes) else { throw ValidationError("--bytes takes 8 to 65,536") }
        guard (0.05...60).contains(seconds) else { throw ValidationError("--seconds takes 0.05 to 60") }
        guard (1...99).contains(rounds) else { throw ValidationError("--rounds takes 1 to 99") }
        guard (1024...32766).contains(port) else { throw ValidationError("--port takes 1024 to 32766") }
    }

    func run() async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "messaging-bench-\(UUID().uuidString)")
        try FileManager.default.createDirectory(
            at: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        defer { try? FileManager.default.removeItem(at: folder) }

        var rows: [Row] = []
        for security in Security.allCases {
            for count in outstanding {
                let load = Load(outstanding: count, bodyBytes: bytes, duration: .seconds(seconds))
                var (own, plain): ([Measurement], [Measurement]) = ([], [])
                for _ in 0..<rounds {
                    plain.append(try await LibraryLoop(security, endpoint(security, 0, folder)).measure(load))
                    own.append(try await BusLoop(security, endpoint(security, 1, folder), folder.path).measure(load))
                }
                let row = Row(
                    security: security, outstanding: count, messaging: .median(of: own), libzmq: .median(of: plain))
                print(row.line)
                rows.append(row)
            }
        }
        if let json {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
            try encoder.encode(rows).write(to: URL(fileURLWithPath: json))
        }
    }

    /// Where loop `index` listens. `Endpoint` names the place for both loops.
    private func endpoint(_ security: Security, _ index: Int, _ folder: URL) throws -> Endpoint {
        switch security {
        case .curve: try Endpoint("tcp://127.0.0.1:\(port + index)")
        case .none: try Endpoint("ipc://\(folder.path)/loop-\(index)")
        }
    }
}

enum Security: String, Codable, CaseIterable { case curve, none }

/// What is asked of either loop.
struct Load: Sendable {
    let outstanding: Int
    let bodyBytes: Int
    let duration: Duration
}

/// One line of the report: both loops under the same load.
struct Row: Codable {
    let security: Security
    let outstanding: Int
    let messaging: Measurement
    let libzmq: Measurement

    var line: String {
        "\(security.rawValue) \(outstanding): Messaging \(messaging.line); libzmq \(libzmq.line)"
    }
}
