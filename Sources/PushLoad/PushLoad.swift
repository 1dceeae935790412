// Pushes wake-ups through the notifier's own code at a provider's double, and prints what it measured.
//
// Owns: requests and device tokens that are nobody's. Must not know: how a wake-up is stored, or what a provider is sent. Start reading
// at `PushLoad.run`.

import ArgumentParser
import Domain
import Foundation
import NotifierService

@main
struct PushLoad: AsyncParsableCommand {
    enum Path: String, ExpressibleByArgument, CaseIterable { case driver, notifier }

    static let configuration = CommandConfiguration(
        commandName: "countersign-push-load",
        abstract:
            "Pushes wake-ups at the APNs of countersign-push-double and prints how many it took, and this process's memory.",
        discussion: """
            --path driver: as many as one driver sends over its connection, --at-once at a time.
            --path notifier: --rate requests a second through a whole notifier with its SQLite store. Without a double behind --port, what \
            a provider that is away does to it.

            Exits with 1 when --at-least was not reached.
            """)

    @Option(help: "The folder that countersign-push-double wrote its keys to.") var folder: String
    @Option(help: "The double's APNs port.") var port = 7480
    @Option(help: "What the wake-ups go through.") var path = Path.driver
    @Option(help: "Requests a second (1 to 100,000), through a notifier.") var rate = 1000
    @Option(help: "How many are sent at the same time (1 to 10,000), through a driver.") var atOnce = 200
    @Option(help: "How long to push, in seconds (1 to 3,600).") var seconds = 20
    @Option(help: "How many a second must have been taken.") var atLeast: Int?

    func validate() throws {
        guard (1...100_000).contains(rate) else { throw ValidationError("--rate takes 1 to 100,000") }
        guard (1...10_000).contains(atOnce) else { throw ValidationError("--at-once takes 1 to 10,000") }
        guard (1...3600).contains(seconds) else { throw ValidationError("--seconds takes 1 to 3,600") }
    }

    func run() async throws {
        guard let pem = try? String(contentsOfFile: folder + "/apns.p8", encoding: .utf8) else {
            throw ValidationError(
                "\(folder)/apns.p8 cannot be read: --folder is the one given to countersign-push-double")
        }
        guard let key = APNsSigningKey(keyID: "DOUBLEKEY1", teamID: "DOUBLETEAM", pem: Redacted(pem)) else {
            throw ValidationError("\(folder)/apns.p8 is no key")
        }
        var provider = ProviderSettings(now: WallClock.now)
        provider.trustRootsFile = folder + "/roots.pem"
        let driver = APNsDriver(
            APNsSettings(key: key, topic: "org.example.app", serverURL: "https://localhost:\(port)"), provider)
        let counting = CountingDriver(driver)
        let start = ContinuousClock.now
        switch path {
        case .driver: try await pushByDriver(counting)
        case .notifier: try await pushByNotifier(counting)
        }
        let taken = Double(counting.count("delivered")) / (ContinuousClock.now - start).inSeconds
        await driver.shutdown()
        print("\(Int(taken)) a second were taken; \(counting.summary)")
        if let atLeast, taken < Double(atLeast) { throw ExitCode.failure }
    }

    private func pushByDriver(_ driver: CountingDriver) async throws {
        let end = ContinuousClock.now + .seconds(seconds)
        try await withThrowingDiscardingTaskGroup { group in
            for _ in 0..<atOnce {
                group.addTask {
                    while ContinuousClock.now < end {
                        _ = await driver.send(
                            WakeUp(
                                tenant: Nobody.tenant, challenge: ChallengeID(Nobody.id()), device: DeviceID("device"),
                                expiresAt: WallClock.now() + .seconds(60)), to: Redacted(Nobody.address()))
                    }
                }
            }
            group.addTask { try await watch(driver, until: end, "") }
        }
    }

    private func pushByNotifier(_ driver: CountingDriver) async throws {
        let notifier = try LoadedNotifier(driver)
        let end = ContinuousClock.now + .seconds(seconds)
        let running = Task { try await notifier.service.run() }
        try await withThrowingDiscardingTaskGroup { group in
            group.addTask { try await watch(driver, until: end, "asked for at \(rate) a second, ") }
            // Ten times a second as many as are due by then, so that a slow moment is made up for.
            let start = ContinuousClock.now
            var asked = 0
            while ContinuousClock.now < end {
                let due = Int((ContinuousClock.now - start).inSeconds * Double(rate))
                for _ in asked..<max(due, asked) { group.addTask { try await notifier.ask() } }
                asked = max(due, asked)
                try await Task.sleep(for: .milliseconds(10))
            }
        }
        running.cancel()
        _ = await running.result
        await notifier.close()
    }

    /// A line a second.
    private func watch(_ driver: CountingDriver, until end: ContinuousClock.Instant, _ what: String) async throws {
        var before = 0
        while ContinuousClock.now < end {
            try await Task.sleep(for: .seconds(1))
            let taken = driver.count("delivered")
            print("\(what)taken \(taken - before) a second, memory \(Memory.residentMegabytes) MB")
            fflush(nil)  // Whoever reads it through a pipe sees it now.
            before = taken
        }
    }
}

extension Duration {
    fileprivate var inSeconds: Double { Double(components.seconds) + Double(components.attoseconds) / 1e18 }
}
