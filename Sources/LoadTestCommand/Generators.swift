import ArgumentParser
import Foundation
import LoadTest
import Synchronization

/// Several generator processes as one run: each does its share, all begin at the same moment, and their reports are merged.
final class Generators: Sendable {
    /// One that ended without doing all its share: what the run ends with, and what is said of it.
    struct Failure: Error {
        let code: ExitCode
        let words: String

        init(_ index: Int, _ end: GeneratorProcess.End, _ words: String) {
            switch end {
            case .signal(let signal):
                (code, self.words) = (.killed, words + "Error: generator \(index) ended by signal \(signal)\n")
            case .status(ExitCode.interrupted.rawValue):
                (code, self.words) = (.interrupted, words + "Error: generator \(index) was interrupted\n")
            case .status(0):
                (code, self.words) = (.killed, words + "Error: generator \(index) ended without a report\n")
            case .status(let status): (code, self.words) = (ExitCode(status), words)
            }
        }
    }

    private struct State {
        /// How many wait for the word to begin.
        var ready = 0
        /// All were told to stop.
        var isInterrupted = false
        /// What stopped them, unless it was somebody else.
        var failure: (any Error)?
    }

    private let all: [GeneratorProcess]
    private let progress: MergedProgress
    private let state = Mutex(State())

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
                        self.state.withLock { $0.failure = $0.failure ?? error }
                        // The others have nothing to wait for.
                        self.interrupt()
                        throw error
                    }
                }
            }
            // Everybody tidies up before the first failure is told.
            var reports: [Int: Report] = [:]
            while let result = await group.nextResult() {
                if case .success(let (index, report)) = result { reports[index] = report }
            }
            if let failure = state.withLock({ $0.failure }) { throw failure }
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
        let (end, words) = await generator.end()
        // One that stopped when all were told to has counted as long as the others have.
        let isWhole = end == .status(0) || state.withLock { $0.isInterrupted }
        guard let report, isWhole else { throw Failure(index, end, words) }
        return report
    }

    /// One more is.
    private func isEverybodyReady() -> Bool {
        state.withLock { state in
            state.ready += 1
            return state.ready == all.count
        }
    }

    private func begin() { for generator in all { generator.begin() } }

    private func interrupt() {
        state.withLock { $0.isInterrupted = true }
        for generator in all { generator.interrupt() }
    }
}
