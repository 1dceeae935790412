import Domain
import Logging
import Messaging
import Secrets
import Storage
import SwiftProtobuf
import Synchronization
import Telemetry
import Testing
import Wire

@testable import ServiceKit

@Suite struct OperationsTests {
    @Test("a process is ready when everything that it needs is, and says what is not")
    func readiness() async {
        let readiness = Readiness()
        let box = Box(isThere: false)
        readiness.add(Dependency("store") { true })
        readiness.add(Dependency("bus.policy") { box.isThere.withLock(\.self) })
        #expect(await readiness.report().json == #"{"ready":false,"dependencies":{"store":true,"bus.policy":false}}"#)
        box.isThere.withLock { $0 = true }
        #expect(await readiness.report().json == #"{"ready":true,"dependencies":{"store":true,"bus.policy":true}}"#)
        readiness.drain()
        #expect(await readiness.report().isReady == false)
    }

    @Test("a dependency that is not needed is reported, and does not decide")
    func notNeeded() async {
        let readiness = Readiness()
        readiness.add(Dependency("store") { true })
        readiness.add(Dependency("bus.notifier", isNeeded: false) { false })
        let report = await readiness.report()
        #expect(report.json == #"{"ready":true,"dependencies":{"store":true,"bus.notifier":false}}"#)
        #expect(report.isReady("store") && !report.isReady("bus.notifier") && !report.isReady("bus.policy"))
    }

    @Test(
        "a dependency that does not answer is not ready, holds nobody up, and is asked one question at a time",
        .timeLimit(.minutes(1)))
    func silent() async {
        let readiness = Readiness(answerTimeMax: .milliseconds(10))
        let (answers, answer) = AsyncStream<Bool>.makeStream()
        let questions = Questions()
        readiness.add(
            Dependency("store") {
                questions.count.withLock { $0 += 1 }
                // As a thread that waits for a server: who does not wait any longer does not end it.
                return await Task { await answers.first { _ in true } ?? false }.value
            })
        for _ in 0..<3 { #expect(await readiness.report().isReady == false) }
        #expect(questions.count.withLock(\.self) == 1)
        repeat { answer.yield(true) } while await !readiness.report().isReady
    }

    private final class Questions: Sendable {
        let count = Mutex(0)
    }

    @Test(
        "of the services that a process asks, notifier is not needed, nor registration by it",
        arguments: ServiceName.allCases)
    func callees(service: ServiceName) {
        let watch = CalleeWatch(caller: DeferredCaller(), of: service, callees: service.callees)
        for dependency in watch.dependencies {
            let isNeeded =
                dependency.name != "bus.notifier" && (service, dependency.name) != (.notifier, "bus.registration")
            #expect(dependency.isNeeded == isNeeded)
        }
    }

    private final class Box: Sendable {
        let isThere: Mutex<Bool>
        init(isThere: Bool) { self.isThere = Mutex(isThere) }
    }

    @Test("handlers are counted by method and code, and failures become codes in one place")
    func observed() async throws {
        let box = ErrorBox()
        let metrics = MetricsRegistry()
        let handler = try ObservedHandler(IssueToken.self, metrics) { _ in
            if let error = box.error.withLock(\.self) { throw error }
            return IssueTokenReply()
        }
        try await handler.ask()
        let cases: [(any Error, ErrorCode)] = [
            (ServiceError(.settled), .settled), (StorageError.notFound, .notFound),
            (StorageError.alreadyExists, .alreadyExists),
            (StorageError.conflict, .conflict), (StorageError.unavailable, .unavailable),
            (StorageError.corrupt, .internal),
            (SecretsError.busy, .unavailable), (SecretsError.notGenuine, .internal),
            (CancellationError(), .unavailable),
        ]
        for (error, code) in cases {
            box.error.withLock { $0 = error }
            let thrown = await #expect(throws: ServiceError.self) { try await handler.ask() }
            #expect(thrown?.code == code)
            if code == .unavailable { #expect(thrown?.retryAfter == .seconds(1)) }
        }
        let text = metrics.exposition()
        #expect(text.contains(#"countersign_handler_requests_total{method="IssueToken",code="ok"} 1"#))
        #expect(text.contains(#"countersign_handler_requests_total{method="IssueToken",code="unavailable"} 3"#))
        #expect(text.contains(#"countersign_handler_running{method="IssueToken"} 0"#))
        #expect(text.contains(#"countersign_handler_duration_seconds_count{method="IssueToken"} 10"#))
    }

    @Test("of a handler that waits only its work after the wait is measured, and nothing where it does none")
    func work() async throws {
        let metrics = MetricsRegistry()
        let handler = try ObservedHandler(Redeem.self, metrics) { request in
            if request.waitMs > 0 { TransactionOrigin.current?.beginWork() }
            return RedeemReply()
        }
        let measured = #"countersign_handler_duration_seconds_count{method="Redeem"}"#
        try await handler.ask()
        #expect(!metrics.exposition().contains(measured))
        try await handler.ask(try Redeem.with { $0.waitMs = 1 }.serializedBytes())
        #expect(metrics.exposition().contains(measured + " 1"))
    }

    private final class ErrorBox: Sendable {
        let error = Mutex<(any Error)?>(nil)
    }

    @Test("the status of a process that ends tells whether starting it again can help")
    func exitStatus() {
        #expect(ExitStatus(ConfigurationProblem.refused("a")) == .configuration)
        #expect(ExitStatus(StoreOpeningError.owned(path: "p")) == .unavailable)
        #expect(ExitStatus(StoreOpeningError.newer(path: "p", found: 2, known: 1)) == .configuration)
        #expect(ExitStatus(SecretsError.keyFile(detail: "d")) == .configuration)
        #expect(ExitStatus(StartProblem.listen("a", reason: "r")) == .unavailable)
        #expect(ExitStatus(CancellationError()) == .internal)
    }
}
