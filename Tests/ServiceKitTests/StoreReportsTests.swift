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

    private func told(_ runs: [FailedRun], level: Logger.Level) -> [String] {
        let logger = Logger(label: "test") { [lines] _ in
            JSONLogHandler(
                identity: LogIdentity(service: "challenge", instance: "i"), level: level,
                now: { Timestamp(seconds: 0) }, write: { line in lines.all.withLock { $0.append(line) } })
        }
        let reports = StoreReports(metrics, logger)
        for run in runs { reports.tell(run) }
        return lines.all.withLock(\.self)
    }

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

    @Test("what ends with nothing is a warning; a row that is there already is everyday")
    func warnings() {
        var exhausted = overtaken
        exhausted.consequence = .exhausted
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

    @Test("a handler's transactions are known by its method and request")
    func origin() async throws {
        var routes = Routes(service: .policy)
        routes.on(IssueToken.self) { _, _ in
            let origin = try #require(TransactionOrigin.current)
            throw ServiceError(.settled, "\(origin.method) \(origin.requestID)")
        }
        let observed = routes.observed(metrics, Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        let handle = try #require(observed.handlers[IssueToken.method.id]).handle
        let id = RequestID(milliseconds: 1, random: (1, 1))
        let context = HandlerContext(
            caller: .gateway, call: CallContext(requestID: id, originID: id, deadline: .now + .seconds(5)))
        await #expect(throws: ServiceError(.settled, "IssueToken \(id)")) { try await handle([], context) }
        #expect(TransactionOrigin.current == nil)
    }
}
