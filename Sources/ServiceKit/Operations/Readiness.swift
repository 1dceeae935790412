import Synchronization
import Telemetry

/// Something that this process uses to serve.
package struct Dependency: Sendable {
    let name: String
    /// Whether the process cannot serve without it; otherwise it is reported and decides nothing.
    let isNeeded: Bool
    let isReady: @Sendable () async -> Bool

    /// `name` stands in `/readyz`: `store`, `tenants`, `bus.policy`.
    package init(_ name: String, isNeeded: Bool = true, isReady: @escaping @Sendable () async -> Bool) {
        self.name = name
        self.isNeeded = isNeeded
        self.isReady = isReady
    }
}

/// Whether a process can serve, and which of its dependencies keeps it from it.
package final class Readiness: Sendable {
    private struct State {
        var inquiries: [Inquiry] = []
        var isDraining = false
    }

    private let answerTimeMax: Duration
    private let state = Mutex(State())

    /// `answerTimeMax` is how long one dependency may take to answer before it counts as not ready.
    package init(answerTimeMax: Duration = .seconds(2)) { self.answerTimeMax = answerTimeMax }

    package func add(_ dependency: Dependency) { state.withLock { $0.inquiries.append(Inquiry(dependency)) } }

    /// From now on nothing is ready, so that whoever balances load looks elsewhere.
    package func drain() { state.withLock { $0.isDraining = true } }

    package struct Report: Sendable, Equatable {
        package let isReady: Bool
        /// In the order in which they were added.
        package let dependencies: [(name: String, isReady: Bool)]

        package func isReady(_ dependency: String) -> Bool {
            dependencies.contains { $0.name == dependency && $0.isReady }
        }

        package static func == (left: Report, right: Report) -> Bool { left.json == right.json }

        /// `{"ready":true,"dependencies":{"store":true}}`; names are words of the program and need no escaping.
        package var json: String {
            let members = dependencies.map { "\"\($0.name)\":\($0.isReady)" }.joined(separator: ",")
            return "{\"ready\":\(isReady),\"dependencies\":{\(members)}}"
        }
    }

    package func report() async -> Report {
        let (inquiries, isDraining) = state.withLock { ($0.inquiries, $0.isDraining) }
        let answers = await withTaskGroup(of: (Int, Bool).self) { group in
            for (index, inquiry) in inquiries.enumerated() {
                group.addTask { [answerTimeMax] in (index, await inquiry.answer(within: answerTimeMax)) }
            }
            return await group.reduce(into: [Bool](repeating: false, count: inquiries.count)) { $0[$1.0] = $1.1 }
        }
        let dependencies = inquiries.map(\.dependency)
        return Report(
            isReady: !isDraining && zip(dependencies, answers).allSatisfy { $1 || !$0.isNeeded },
            dependencies: zip(dependencies, answers).map { (name: $0.name, isReady: $1) })
    }
}

/// How one dependency is asked: one question at a time, whose answer is that of all who ask meanwhile. A store whose server is away cannot
/// be made to answer, and must neither hold up who asks how the process is, nor be given a further question each time.
private final class Inquiry: Sendable {
    private struct State {
        var isUnderWay = false
        var isReady = false
    }

    let dependency: Dependency
    private let state = Mutex(State())
    private let answered = ChangeSignal()

    init(_ dependency: Dependency) { self.dependency = dependency }

    /// False also where there is no answer within `limit`.
    func answer(within limit: Duration) async -> Bool {
        let count = answered.count
        let isFirst = state.withLock { state in
            defer { state.isUnderWay = true }
            return !state.isUnderWay
        }
        if isFirst {
            // Unstructured because it outlives whoever does not wait for it any longer; there is one at a time.
            Task {
                let isReady = await dependency.isReady()
                state.withLock { $0 = State(isReady: isReady) }
                answered.advance()
            }
        }
        guard await answered.wait(past: count, atMost: limit) else { return false }
        return state.withLock(\.isReady)
    }
}

extension Readiness.Report {
    /// As metrics: what `/readyz` says, for alerts.
    func record(in metrics: MetricsRegistry) {
        metrics.gauge("countersign_ready", help: "1 when this process can serve, as /readyz says.")
            .set(isReady ? 1 : 0)
        let dependency = metrics.gauge(
            "countersign_dependency_ready", help: "1 when what this process needs is there.", labels: ["dependency"])
        for (name, isReady) in dependencies { dependency.set(isReady ? 1 : 0, name) }
    }
}
