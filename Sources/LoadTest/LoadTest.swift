// Pushes whole sign-ins through the public API with simulated phones, in a closed loop, and prints what it measured.
//
// Owns: people and phones of its own, which it makes and removes. Must not know: the services behind the gateway. Start reading at
// `LoadTest.run`.

import ArgumentParser
import AsyncHTTPClient
import AuthenticatorHTTP
import DeviceAPI
import Domain
import Foundation

@main
struct LoadTest: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "countersign-loadtest",
        abstract: "Pushes sign-ins at a gateway: each phone has its own key and event stream, and answers at once.",
        discussion:
            "A closed loop: every person begins the next sign-in when the last was redeemed. Exits with 1 when any sign-in failed."
    )

    @Option(help: "The credentials that `make run` wrote.") var demo = "var/demo.json"
    @Option(help: "How many people, each with a phone, sign in at the same time (1 to 1,000).") var people = 32
    @Option(help: "How long to push, in seconds (1 to 3,600).") var seconds = 20

    func validate() throws {
        guard (1...1000).contains(people) else { throw ValidationError("--people takes 1 to 1,000") }
        guard (1...3600).contains(seconds) else { throw ValidationError("--seconds takes 1 to 3,600") }
    }

    func run() async throws {
        let file = try JSONDecoder().decode(DemoFile.self, from: Data(contentsOf: URL(fileURLWithPath: demo)))
        var settings = HTTPClient.Configuration()
        settings.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = people * 2
        let http = HTTPClient(eventLoopGroupProvider: .singleton, configuration: settings)
        let transport = HTTPTransport(.init(connectionsMax: people * 2))
        let failed: Bool
        do {
            failed = try await push(file, PublicAPI(http: http, base: file.base), transport)
        } catch {
            await transport.shutdown()
            try await http.shutdown()
            throw error
        }
        await transport.shutdown()
        try await http.shutdown()
        if failed { throw ExitCode.failure }
    }

    private func push(_ file: DemoFile, _ api: PublicAPI, _ transport: HTTPTransport) async throws -> Bool {
        let desk = NumberDesk()
        let population = Population(
            api: api, tenant: TenantID(file.tenant), administrator: [("Authorization", "Bearer " + file.admin.token)],
            transport: transport,
            desk: desk)
        print("making \(people) people with phones")
        let run = String(UInt32.random(in: .min ... .max), radix: 36)
        var members: [Population.Member] = []
        for index in 0..<people { members.append(try await population.make("load-\(run)-\(index)")) }

        let figures = Figures()
        let clock = ContinuousClock()
        print("pushing for \(seconds) s")
        let started = clock.now
        let end = started + .seconds(seconds)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for member in members {
                group.addTask { await member.phone.listen { figures.failed($0) } }
            }
            try await withThrowingTaskGroup(of: Void.self) { loops in
                for member in members {
                    loops.addTask {
                        let page = Page(
                            api: api, tenant: TenantID(file.tenant), client: file.client.authorization, desk: desk)
                        while clock.now < end { await page.signIn(member.phone.username, figures) }
                    }
                }
                try await loops.waitForAll()
            }
            group.cancelAll()
        }
        print(figures.report(over: clock.now - started))
        for (what, count) in figures.failures.sorted(by: { $0.value > $1.value }).prefix(10) {
            print("  \(count) x \(what)")
        }
        for member in members { try await population.remove(member) }
        return !figures.failures.isEmpty
    }
}
