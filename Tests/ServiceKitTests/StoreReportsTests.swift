import Domain
import Logging
import Messaging
import Storage
import Synchronization
import Telemetry
import Testing
import Wire

@testable import ServiceKit

@Suite struct StoreReportsTests {
    private let lines = Lines()
    private let metrics = MetricsRegistry()

    private final class Lines: Sendable {
        let all = Mutex<[String]>([])
    }

    private func logger(_ level: Logger.Level = .info) -> Logger {
        Logger(label: "test") { [lines] _ in
            JSONLogHandler(
                identity: LogIdentity(service: "challenge", instance: "i"), level: level,
                now: { Timestamp(seconds: 0) }, write: { line in lines.all.withLock { $0.append(line) } })
        }
    }

    private func told(_ runs: [FailedRun], level: Logger.Level) -> [String] {
        let reports = StoreReports(metrics, logger(level))
        for run in runs { reports.tell(run) }
        return lines.all.withLock(\.self)
    }

    private var warnings: [String] { lines.all.withLock { $0.filter { $0.contains(#""level":"warning""#) } } }

    private let overtaken = FailedRun(
        cause: .serialization, consequence: .rerun, sqlState: "40001", statement: "COMMIT",
        firstStatement: "SELECT 1", runs: 3,
        origin: TransactionOrigin(method: "Settle", requestID: RequestID(high: 1, low: 2)))

    @Test("a transaction that is run again is a line at debug alone, with its reason and its request")
    func rerun() throws {
        #expect(told([overtaken], level: .info) == [])
        let line = try #require(told([overtaken], level: .debug).first)
        let id = RequestID(high: 1, low: 2).description
        for part in [
            #""level":"debug""#, #""sqlState":"40001""#, #""statement":"COMMIT""#, #""firstStatement":"SELECT 1""#,
            #""runs":"3""#, #""method":"Settle""#, #""requestId":"\#(id)""#, #""cause":"serialization""#,
        ] { #expect(line.contains(part), "\(part) in \(line)") }
        #expect(!line.contains("detail"))
    }

    @Test("what ends with nothing and no request asked for is a warning; a row that is there already is everyday")
    func background() {
        var exhausted = overtaken
        exhausted.consequence = .exhausted
        exhausted.origin = nil
        let slow = FailedRun(cause: .timeout, consequence: .refused, sqlState: "57014", statement: "SELECT 1")
        let taken = FailedRun(cause: .constraint, consequence: .refused, sqlState: "23505", statement: "INSERT")
        let lines = told([exhausted, slow, taken, overtaken], level: .info)
        #expect(lines.count == 2 && lines.allSatisfy { $0.contains(#""level":"warning""#) })
        let text = metrics.exposition()
        for labels in [
            #"cause="serialization",consequence="exhausted""#, #"cause="timeout",consequence="refused""#,
            #"cause="constraint",consequence="refused""#, #"cause="serialization",consequence="rerun""#,
        ] { #expect(text.contains("countersign_store_failed_runs_total{\(labels)} 1"), "\(labels)") }
    }

    /// Asks a handler whose store tells of a server that is away.
    private func ask(
        within time: Duration = .seconds(5),
        _ handler: @escaping @Sendable (StoreReports) async throws -> IssueTokenReply
    ) async throws -> RequestID {
        let (logger, metrics) = (logger(), metrics)
        let reports = StoreReports(metrics, logger)
        let observed = try ObservedHandler(IssueToken.self, metrics, logger) { _ in try await handler(reports) }
        _ = try? await observed.ask(within: time)
        return observed.id
    }

    private static func away(_ origin: TransactionOrigin?) -> FailedRun {
        FailedRun(
            cause: .connection, consequence: .exhausted, detail: "the server cannot be reached", runs: 9,
            origin: origin)
    }

    @Test("a request that its transaction's end kept from being served leaves one warning, with cause and request")
    func oneWarning() async throws {
        let id = try await ask { reports in
            reports.tell(Self.away(TransactionOrigin.current))
            throw StorageError.unavailable
        }
        let lines = warnings
        try #require(lines.count == 1, "\(lines)")
        for part in [
            #""request not served""#, #""requestId":"\#(id)""#, #""method":"IssueToken""#, #""code":"unavailable""#,
            #""cause":"connection""#, #""detail":"the server cannot be reached""#, #""runs":"9""#,
        ] { #expect(lines[0].contains(part), "\(part) in \(lines[0])") }
    }

    @Test("a transaction that failed under a request that was served or refused is a warning of its own")
    func servedAllTheSame() async throws {
        let id = try await ask { reports in
            reports.tell(Self.away(TransactionOrigin.current))
            return IssueTokenReply()
        }
        _ = try await ask { reports in
            reports.tell(Self.away(TransactionOrigin.current))
            throw ServiceError(.settled)
        }
        #expect(warnings.count == 2)
        for line in warnings {
            #expect(line.contains(#""requestId":"\#(id)""#) && line.contains(#""cause":"connection""#))
            #expect(line.contains("transaction given up after its reruns"))
        }
    }

    @Test("a transaction that fails when its request is over is a warning of its own")
    func afterwards() async throws {
        let origin = Mutex<TransactionOrigin?>(nil)
        _ = try await ask { _ in
            origin.withLock { $0 = TransactionOrigin.current }
            return IssueTokenReply()
        }
        #expect(told([Self.away(origin.withLock(\.self))], level: .info).last?.contains("given up") == true)
        #expect(warnings.count == 1)
    }

    @Test("what another process replied with is a warning there and none here; what nobody replied to is one")
    func carriedOn() async throws {
        let refusal = ServiceError(.unavailable, "the store cannot be written", retryAfter: .seconds(1))
        _ = try await ask { _ in throw ServiceError(refusal.code, failure: refusal.failure) }
        let line = try #require(lines.all.withLock(\.self).last)
        #expect(line.contains(#""level":"info""#) && line.contains(#""request not served""#))
        #expect(line.contains(#""code":"unavailable""#) && !line.contains(#""error""#) && warnings.isEmpty)
        _ = try await ask { _ in throw refusal }
        #expect(warnings.count == 1 && warnings[0].contains("the store cannot be written"))
    }

    @Test("a request that is handled when nobody waits for it any longer is a warning where that took so long")
    func late() async throws {
        let id = try await ask(within: .zero) { _ in IssueTokenReply() }
        #expect(warnings.count == 1 && warnings[0].contains("request handled too late"))
        #expect(warnings[0].contains(#""requestId":"\#(id)""#))
    }

    @Test("a handler's transactions are known by its method and request")
    func origin() async throws {
        let handler = try ObservedHandler(IssueToken.self, metrics) { _ in
            let origin = try #require(TransactionOrigin.current)
            throw ServiceError(.settled, "\(origin.method) \(origin.requestID)")
        }
        await #expect(throws: ServiceError(.settled, "IssueToken \(handler.id)")) { try await handler.ask() }
        #expect(TransactionOrigin.current == nil)
    }
}
