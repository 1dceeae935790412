import Foundation
import Testing

@testable import Messaging

@Suite("Simulated runs")
struct SimulationTests {
    /// With `FAULTS=long` millions of events.
    private static let seeds = ProcessInfo.processInfo.environment["FAULTS"] == "long" ? 5_000 : 500

    @Test("hundreds of seeds of loss, repetition, delay, reordering and restarts keep every invariant")
    func seeds() async {
        for seed in 0..<Self.seeds {
            // The tests that run beside this one wait for threads of the same pool.
            await Task.yield()
            var simulation = BusSimulation(seed: UInt64(seed))
            let failures = simulation.run(calls: 40)
            #expect(failures.isEmpty, "seed \(seed): \(failures.first ?? "")")
            #expect(!simulation.answered.isEmpty, "seed \(seed): nothing was answered at all")
            if !failures.isEmpty { return }
        }
    }

    @Test("a callee that never comes back is noticed as well")
    func selfTestOfPeers() {
        var simulation = BusSimulation(seed: 2)
        simulation.restarts = false
        #expect(simulation.run(calls: 40).contains { $0.hasPrefix("I7") })
    }

    @Test("a store that loses what was committed is noticed: the checks can fail")
    func selfTest() {
        var simulation = BusSimulation(seed: 1)
        simulation.forgetsEffects = true
        let failures = simulation.run(calls: 40)
        #expect(failures.contains { $0.hasPrefix("I") })
    }
}
