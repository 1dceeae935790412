import Foundation
import LoadTest
import Synchronization

/// What is seen while a run lasts: in a terminal a few lines that are drawn again each second, elsewhere a line a second.
final class LiveView: RunObserver {
    private static let failuresMax = 5
    /// Making one takes a second or so, and where there is no terminal nobody sees a count.
    private static let madeEach = 25

    private let isTerminal: Bool
    /// How many lines the next drawing goes over.
    private let drawn = Mutex(0)

    init(isTerminal: Bool = isatty(STDOUT_FILENO) == 1) { self.isTerminal = isTerminal }

    func made(_ count: Int, of total: Int) {
        if isTerminal {
            draw(["making people with phones: \(count) of \(total)"])
        } else if count == total {
            tell("made \(total) people with phones")
        } else if count.isMultiple(of: Self.madeEach) {
            tell("made \(count) of \(total) people with phones")
        }
        if count == total { keep() }
    }

    func began(_ phase: Phase) { tell("\(phase.name): \(phase.description)") }

    func passed(_ slice: Slice, of phase: Phase, _ interval: [Latency: Histogram], failures: [String: Int]) {
        let failed = failures.values.reduce(0, +)
        let summary =
            "\(slice.second.short) s of \(phase.duration.inSeconds.short)  \(slice.completed)/s  "
            + "\(slice.inFlight) in flight  \(failed) failures"
        let times = Latency.allCases.compactMap { latency -> String? in
            guard let times = slice.latency[latency.rawValue] else { return nil }
            return "\(latency.rawValue) p50 \(times.p50.short) p99 \(times.p99.short) max \(times.max.short) ms"
        }
        let kinds = failures.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.prefix(Self.failuresMax).map {
            "\($0.value) x \($0.key)"
        }
        guard isTerminal else {
            tell(([summary] + times + kinds).joined(separator: "  "))
            return
        }
        draw([summary] + (times + kinds).map { "  " + $0 })
    }

    func ended(_ phase: Phase, at second: Double, _ interval: [Latency: Histogram]) { keep() }

    func removed(left: Int) {
        keep()
        if left > 0 { tell("\(left) people could not be removed: their names begin with load-") }
    }

    // MARK: lines

    private func tell(_ line: String) {
        keep()
        Self.write(line + "\n")
    }

    /// In place of what was drawn last.
    private func draw(_ lines: [String]) {
        let before = drawn.withLock { drawn in
            defer { drawn = lines.count }
            return drawn
        }
        let home = before > 0 ? "\u{1B}[\(before)A\u{1B}[J" : ""
        // A line that wraps would be two to go over.
        let width = Self.terminalWidth
        Self.write(home + lines.map { $0.prefix(width) + "\n" }.joined())
    }

    /// What was drawn stays where it is.
    private func keep() { drawn.withLock { $0 = 0 } }

    private static var terminalWidth: Int {
        var size = winsize()
        return ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0 && size.ws_col > 0 ? Int(size.ws_col) : 80
    }

    private static func write(_ text: String) { FileHandle.standardOutput.write(Data(text.utf8)) }
}
