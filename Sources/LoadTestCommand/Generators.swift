import Foundation
import LoadTest
import Synchronization

/// Several generator processes as one run: each does its share, all begin at the same moment, and their reports are merged.
final class Generators: Sendable {
    /// One that ended without a report, and what it said.
    struct Failure: Error {
        let status: Int32
        let words: String
    }

    private let all: [GeneratorProcess]
    private let progress: MergedProgress
    /// How many wait for the word to begin.
    private let ready = Mutex(0)

    private init(all: [GeneratorProcess], progress: MergedProgress) {
        self.all = all
        self.progress = progress
    }

    /// Starts this program `count` times with the arguments that it got itself, and each with its share.
    static func run(_ count: Int, _ plan: LoadRun.Plan, observer: any RunObserver) async throws -> Report {
        let progress = MergedProgress(plan.phases, people: plan.people, generators: count, observer: observer)
        let arguments = Array(CommandLine.arguments.dropFirst())
        var all: [GeneratorProcess] = []
        do {
            for index in 0..<count {
                let share = Share(index: index, count: count)
                all.append(try GeneratorProcess(arguments + ["--share", share.description]))
            }
        } catch {
            for started in all { started.interrupt() }
            throw error
        }
        return try await Generators(all: all, progress: progress).run()
    }

    private func run() async throws -> Report {
        try await withTaskCancellationHandler {
            // Of its own, so that what they have to tell after an interruption is heard too.
            try await Task { try Report.merged(try await reports()) }.value
        } onCancel: {
            interrupt()
        }
    }

    /// In the order in which they were started, so that a merged report says the same at each run.
    private func reports() async throws -> [Report] {
        return try await withThrowingTaskGroup(of: (Int, Report).self) { group in
            for (index, generator) in all.enumerated() {
                group.addTask {
                    do {
                        return (index, try await self.report(of: generator, index))
                    } catch {
                        // The others have nothing to wait for.
                        self.interrupt()
                        throw error
                    }
                }
            }
            // Everybody tidies up before the first failure is told.
            var (reports, failure): ([Int: Report], (any Error)?) = ([:], nil)
            while let result = await group.nextResult() {
                switch result {
                case .success(let (index, report)): reports[index] = report
                case .failure(let error): failure = failure ?? error
                }
            }
            if let failure { throw failure }
            return all.indices.compactMap { reports[$0] }
        }
    }

    private func report(of generator: GeneratorProcess, _ index: Int) async throws -> Report {
        var report: Report?
        for try await message in generator.messages {
            switch message {
            case .ready: if isEverybodyReady() { begin() }
            case .report(let told): report = told
            default: try progress.take(message, from: index)
            }
        }
        let (status, words) = await generator.end()
        guard let report else { throw Failure(status: status, words: words) }
        return report
    }

    /// One more is.
    private func isEverybodyReady() -> Bool {
        ready.withLock { count in
            count += 1
            return count == all.count
        }
    }

    private func begin() { for generator in all { generator.begin() } }
    private func interrupt() { for generator in all { generator.interrupt() } }
}
