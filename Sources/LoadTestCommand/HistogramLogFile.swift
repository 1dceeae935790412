import Foundation
import LoadTest
import Synchronization

/// Writes an HdrHistogram log while a run lasts.
final class HistogramLogFile: RunObserver {
    private struct State {
        var phase = ""
        /// When the phase began, in seconds from the start of the log.
        var began = 0.0
        var last = 0.0
    }

    private let file: FileHandle
    private let started = Date()
    private let state = Mutex(State())

    init(_ path: String) throws {
        guard FileManager.default.createFile(atPath: path, contents: nil), let file = FileHandle(forWritingAtPath: path)
        else { throw OutputFile.Fault(path: path) }
        self.file = file
        try file.write(contentsOf: Data(HistogramLog.header(startedAt: started.timeIntervalSince1970).utf8))
    }

    func made(_ count: Int, of total: Int) {}

    func began(_ phase: Phase) {
        state.withLock { $0 = State(phase: phase.name, began: Date().timeIntervalSince(started)) }
    }

    func passed(_ slice: Slice, of phase: Phase, _ interval: [Latency: Histogram], failures: [String: Int]) {
        write(interval, until: slice.second)
    }

    func ended(_ phase: Phase, at second: Double, _ interval: [Latency: Histogram]) {
        write(interval, until: Date().timeIntervalSince(started) - state.withLock { $0.began })
    }

    func removed(left: Int) {}

    private func write(_ interval: [Latency: Histogram], until second: Double) {
        let lines = state.withLock { state in
            defer { state.last = second }
            return HistogramLog.lines(
                from: state.began + state.last, length: max(0, second - state.last), interval)
        }
        // A log that cannot be written must not end the run; its last line says where it stopped.
        try? file.write(contentsOf: Data(lines.utf8))
    }
}

/// Tells several observers.
struct Observers: RunObserver {
    let all: [any RunObserver]

    func made(_ count: Int, of total: Int) { for one in all { one.made(count, of: total) } }
    func began(_ phase: Phase) { for one in all { one.began(phase) } }
    func passed(_ slice: Slice, of phase: Phase, _ interval: [Latency: Histogram], failures: [String: Int]) {
        for one in all { one.passed(slice, of: phase, interval, failures: failures) }
    }
    func ended(_ phase: Phase, at second: Double, _ interval: [Latency: Histogram]) {
        for one in all { one.ended(phase, at: second, interval) }
    }
    func removed(left: Int) { for one in all { one.removed(left: left) } }
}
