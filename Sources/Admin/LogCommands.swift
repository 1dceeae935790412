import ArgumentParser
import DeviceAPI
import Domain

struct SignInsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sign-ins", abstract: "The sign-in log: every request, its outcome and the exact reason.")

    /// How often --follow asks: the log has no stream.
    private static let followEvery = Duration.seconds(2)

    @OptionGroup var connection: ConnectionOptions
    @Option(help: "Only this user name.") var user: String?
    @Option(help: "Only this status: pending, approved, denied, expired, canceled or redeemed.") var status: String?
    @Option(help: "Not before this RFC 3339 time.") var from: String?
    @Option(help: "Before this RFC 3339 time.") var to: String?
    @Option(help: "At most so many.") var limit = 100
    @Flag(help: "Goes on and prints new and changed entries until it is ended.") var follow = false

    func run() async throws {
        try await connection.run { tenant in
            var printed: [String: ChallengeStatus] = [:]
            var query = [("user", user), ("status", status), ("from", from), ("to", to)]
            while true {
                let entries = try await tenant.all(
                    SignInLogEntry.self, APIPaths.signInLog(tenant.tenant), query, limit: limit)
                let fresh = entries.filter { printed.updateValue($0.status, forKey: $0.id) != $0.status }
                try tenant.output.list(follow ? fresh.sorted { $0.at < $1.at } : fresh, Self.columns)
                guard follow else { return }
                // Requests live for five minutes at most, so older entries do not change any more.
                if let latest = entries.map(\.at).max() {
                    let start = (latest - .seconds(600)).description
                    query[2].1 = from.map { max($0, start) } ?? start
                    printed = printed.filter { id, _ in entries.contains { $0.id == id } }
                }
                try await Task.sleep(for: Self.followEvery)
            }
        }
    }

    private static var columns: [(String, (SignInLogEntry) -> String)] {
        [
            ("AT", \.at.description), ("USER", \.username), ("PURPOSE", \.purpose.rawValue),
            ("APPLICATION", { $0.application ?? "" }),
            ("STATUS", \.status.rawValue), ("REASON", { $0.reason ?? "" }), ("METHOD", { $0.method?.rawValue ?? "" }),
            ("DEVICE", { $0.deviceName ?? "" }), ("FROM", { $0.ipAddress ?? "" }),
            ("TOOK", { $0.latencyMilliseconds.map { "\($0) ms" } ?? "" }),
        ]
    }
}

struct AuditCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "audit", abstract: "Every change: who, when, what, before and after.")

    @OptionGroup var connection: ConnectionOptions
    @Option(help: "At most so many.") var limit = 100

    func run() async throws {
        try await connection.run { tenant in
            let entries = try await tenant.all(AuditDocument.self, APIPaths.audit(tenant.tenant), limit: limit)
            try tenant.output.list(
                entries,
                [
                    ("AT", \.at.description),
                    ("WHO", { "\($0.actor.kind) \($0.actor.name.isEmpty ? $0.actor.id : $0.actor.name)" }),
                    ("ACTION", \.action), ("TARGET", \.target),
                ])
        }
    }
}
