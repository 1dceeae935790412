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
    /// How long one dependency may take to answer before it counts as not ready.
    private static let checkTimeout = Duration.seconds(2)

    private struct State {
        var dependencies: [Dependency] = []
        var isDraining = false
    }

    private let state = Mutex(State())

    package init() {}

    package func add(_ dependency: Dependency) { state.withLock { $0.dependencies.append(dependency) } }

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
        let (dependencies, isDraining) = state.withLock { ($0.dependencies, $0.isDraining) }
        let answers = await withTaskGroup(of: (Int, Bool).self) { group in
            for (index, dependency) in dependencies.enumerated() {
                group.addTask { (index, await Self.answer(of: dependency)) }
            }
            return await group.reduce(into: [Bool](repeating: false, count: dependencies.count)) { $0[$1.0] = $1.1 }
        }
        return Report(
            isReady: !isDraining && zip(dependencies, answers).allSatisfy { $1 || !$0.isNeeded },
            dependencies: zip(dependencies, answers).map { (name: $0.name, isReady: $1) })
    }

    private static func answer(of dependency: Dependency) async -> Bool {
        await withTaskGroup(of: Bool.self) { group in
            group.addTask { await dependency.isReady() }
            group.addTask {
                try? await Task.sleep(for: checkTimeout)
                return false
            }
            defer { group.cancelAll() }
            return await group.next() ?? false
        }
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
