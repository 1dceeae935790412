import DeviceAPI
import Domain
import Foundation
import NIOHTTP1

/// As many plain requests as the gateway answers, from the same HTTP client and as many loops as a run has people: what a sign-in's
/// requests are compared with.
package struct TrivialRun: Sendable {
    package static let phaseName = "trivial"

    private let target: Target
    private let loops: Int
    private let duration: Duration

    package init(_ target: Target, loops: Int, duration: Duration) {
        self.target = target
        self.loops = loops
        self.duration = duration
    }

    package func run() async throws -> Report {
        let started = Timestamp(milliseconds: Int64(Date().timeIntervalSince1970 * 1000))
        let phase = Phase(name: Self.phaseName, load: .people(loops), duration: duration)
        let result = try await Connection.open(to: target, connectionsMax: loops) { connection in
            try await connection.api.askConsent()
            let tally = Tally(phase)
            let clock = ContinuousClock()
            let began = clock.now
            let end = began + duration
            await withTaskGroup(of: Void.self) { group in
                for _ in 0..<loops {
                    group.addTask {
                        while clock.now < end, !Task.isCancelled { await Self.request(connection.api, tally, clock) }
                    }
                }
            }
            tally.end(after: (clock.now - began).inSeconds, requests: connection.api.meter.total)
            return tally.result()
        }
        return Report(
            startedAt: started.description, gateway: target.base, people: loops, mix: "", answerTime: "", wake: "",
            phases: [result])
    }

    private static func request(_ api: PublicAPI, _ tally: Tally, _ clock: ContinuousClock) async {
        let started = clock.now
        tally.offered()
        tally.began(isLate: false)
        do {
            try await api.send("health", .GET, APIPaths.health).expect(200)
            tally.completed(nil, clock.now - started, .request)
        } catch {
            tally.failed(error.kind)
        }
    }
}
