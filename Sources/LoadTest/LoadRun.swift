// Pushes sign-ins through the public API with simulated phones and counts what becomes of them.
//
// Owns: people and phones of its own, which it makes and removes; when sign-ins begin; what is counted. Must not know: the services
// behind the gateway, or how anything is shown. Start reading at `LoadRun.run`, then `Dispatcher` (who begins when) and `Page` (one
// sign-in).

import AsyncHTTPClient
import Authenticator
import AuthenticatorHTTP
import DeviceAPI
import Domain
import Foundation
import NIOCore
import NIOPosix

/// One run: its people are made, its phases follow each other, its people are removed.
package struct LoadRun: Sendable {
    /// What to push, and at whom.
    package struct Plan: Sendable {
        package var target: Target
        package var people: Int
        package var phases: [Phase]
        package var mix = Mix.approvals
        package var answerTime = AnswerTime.none
        package var wake = Wake.streams
        /// The file in which people stay for the next run; they are removed where there is none.
        package var keeping: String?
        /// What this process does of all that.
        package var share = Share.whole
        /// Waits for the word to begin, when everybody is ready.
        package var begin: @Sendable () async -> Void = {}

        package init(target: Target, people: Int, phases: [Phase]) {
            self.target = target
            self.people = people
            self.phases = phases
        }
    }

    private static let pauseAfterFailure = Duration.milliseconds(100)

    private let plan: Plan
    private let observer: any RunObserver

    package init(_ plan: Plan, observer: any RunObserver) {
        self.plan = plan
        self.observer = observer
    }

    /// Runs all phases, or until the task is canceled: then what was counted until now is returned, without the sign-ins that were under
    /// way. The people are removed in any case, unless they are kept. Throws `ConsentMissing` and `PeopleInUse` before anything
    /// is made.
    package func run() async throws -> Report {
        let lock = try kept?.lock()
        defer { lock?.release() }
        return try await Connection.open(to: plan.target, connectionsMax: people * 3) { connection in
            try await connection.api.askConsent()
            guard case .push(let provider, let folder) = plan.wake else { return try await run(connection, nil) }
            return try await Woken.through(provider, folder: folder) { woken in
                try await run(connection, woken)
            }
        }
    }

    private var kept: KeptPeople? {
        plan.keeping.map { name in
            KeptPeople(
                path: KeptPeople.path(name, plan.share), gateway: plan.target.base, tenant: plan.target.tenant)
        }
    }

    /// The people of this process.
    private var people: Int { plan.share.part(of: plan.people) }

    private func run(_ connection: Connection, _ woken: Woken?) async throws -> Report {
        let population = Population(connection, plan.target, kept: kept, woken: woken)
        do {
            let report = try await push(population, connection)
            await remove(population)
            return report
        } catch {
            await remove(population)
            throw error
        }
    }

    private func remove(_ population: Population) async {
        // Of its own, so that it is done after a cancellation too.
        let left = await Task { await population.removeAll() }.value
        observer.removed(left: left)
    }

    private func push(_ population: Population, _ connection: Connection) async throws -> Report {
        let limits = try await population.limits()
        if plan.mix.hasMisses, limits.missesMax < 2 {
            throw ScenarioError(
                "the tenant's requestBudget is \(limits.missesMax): with a mix of misses it must be 2 or more")
        }
        let members = try await population.members(people) { observer.made($0, of: people) }
        let tallies = plan.phases.map { Tally($0) }
        let started = Timestamp(milliseconds: Int64(Date().timeIntervalSince1970 * 1000))
        let current = CurrentTally(tallies[0])
        let (streams, opened) = AsyncStream<Void>.makeStream()
        await withTaskGroup(of: Void.self) { phones in
            for member in members {
                phones.addTask {
                    await member.phone.listen { report in
                        if case .connected = report { opened.yield() }
                        current.count(report)
                    }
                    // One that gave up is not waited for; what it told is counted.
                    opened.yield()
                }
            }
            for await _ in streams.prefix(members.count) {}
            await plan.begin()
            await run(tallies, members, connection, limits, current)
            for member in members { member.desk.close() }
            phones.cancelAll()
        }
        return Report(
            startedAt: started.description, gateway: plan.target.base, people: people,
            mix: plan.mix.description, answerTime: plan.answerTime.description, wake: plan.wake.description,
            phases: tallies.map { $0.result() })
    }

    /// All phases, and then what is still under way.
    private func run(
        _ tallies: [Tally], _ members: [Member], _ connection: Connection, _ limits: PersonLimits,
        _ current: CurrentTally
    ) async {
        let dispatcher = Dispatcher(queueMax: members.count, share: plan.share)
        let page = Page(api: connection.api, tenant: plan.target.tenant, client: plan.target.client)
        await withTaskGroup(of: Void.self) { group in
            for member in members { group.addTask { await pursue(member, page, dispatcher, limits) } }
            for tally in tallies where !Task.isCancelled {
                current.set(tally)
                await PhaseRun(
                    tally: tally, dispatcher: dispatcher, meter: connection.api.meter, share: plan.share
                ).run(observer)
            }
            dispatcher.end()
        }
        for tally in tallies {
            let second = max(tally.seconds, tally.slicedSeconds)
            observer.ended(tally.phase, at: second, tally.slice(at: second).interval)
        }
    }

    /// One person, sign-in after sign-in.
    private func pursue(_ member: Member, _ page: Page, _ dispatcher: Dispatcher, _ limits: PersonLimits) async {
        var choice =
            member.isKept ? PersonalChoice(limits: limits, unknownBefore: .now) : PersonalChoice(limits: limits)
        var generator = SystemRandomNumberGenerator()
        while !Task.isCancelled, let arrival = await dispatcher.next() {
            let intention = choice.allowed(plan.mix.draw(using: &generator), at: arrival.intended)
            let isAsIntended = await page.signIn(
                member, arrival, intention, delay: plan.answerTime.draw(using: &generator))
            choice.ended(intention, asIntended: isAsIntended)
            // Whoever fails in a closed loop would otherwise try again at once, as fast as the machine can.
            if !isAsIntended, case .people = arrival.tally.phase.load {
                try? await Task.sleep(for: Self.pauseAfterFailure)
            }
            dispatcher.finished()
        }
    }
}
