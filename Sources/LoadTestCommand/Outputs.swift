import ArgumentParser
import Foundation
import LoadTest

/// Where a report goes, and what it must not come to.
struct OutputOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Write the whole report as JSON to this file.", valueName: "file"))
    var json: String?

    @Option(help: ArgumentHelp("Write the report with plots as one HTML file.", valueName: "file"))
    var html: String?

    @Option(
        name: .customLong("fail-if"),
        help: ArgumentHelp(
            "End with 2 when this is so of a phase, e.g. 'p99(answer_to_page) > 50ms', 'failures > 1%', 'rate < 100/s in soak'. May be given several times.",
            valueName: "threshold"))
    var thresholds: [String] = []

    func validate() throws {
        try refusing(.validationFailure) { for text in thresholds { _ = try Threshold(text) } }
    }

    /// Throws before anything is pushed where a report could not be written afterwards.
    func checkPlaces() throws {
        for path in [json, html].compactMap(\.self) where !OutputFile.canBeWritten(path) {
            throw failed(OutputFile.Fault(path: path).description, .cannotWrite)
        }
    }

    /// Shows and writes the report. Throws the exit code that it comes to.
    func finish(_ report: Report) throws {
        print(ReportText.text(of: report))
        do {
            if let json { try OutputFile.write(report, to: json) }
            if let html { try OutputFile.write(Data(ReportPage(report).html.utf8), to: html) }
        } catch let fault as OutputFile.Fault {
            FileHandle.standardError.write(Data("Error: \(fault)\n".utf8))
            throw ExitCode.cannotWrite
        }
        let violations = try thresholds.flatMap { try Threshold($0).violations(in: report) }
        for violation in violations { print("threshold reached: \(violation)") }
        let failed = report.phases.reduce(0) { $0 + $1.failed }
        let mismatched = report.phases.reduce(0) { $0 + $1.mismatched }
        if mismatched > 0 || (failed > 0 && thresholds.isEmpty) { throw ExitCode.failure }
        if !violations.isEmpty { throw ExitCode.thresholdReached }
    }
}

/// A file that a run writes.
enum OutputFile {
    struct Fault: Error, CustomStringConvertible {
        let path: String
        var description: String { "\(path) cannot be written" }
    }

    /// A file is written beside its place and then put there.
    static func canBeWritten(_ path: String) -> Bool {
        let place = URL(fileURLWithPath: path)
        return !place.hasDirectoryPath
            && FileManager.default.isWritableFile(atPath: place.deletingLastPathComponent().path)
    }

    static func write(_ report: Report, to path: String) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        try write(encoder.encode(report) + Data("\n".utf8), to: path)
    }

    static func write(_ data: Data, to path: String) throws {
        do {
            try data.write(to: URL(fileURLWithPath: path), options: .atomic)
        } catch {
            throw Fault(path: path)
        }
    }
}

/// Those of sysexits.h, and the program's own 1 and 2.
extension ExitCode {
    static let thresholdReached = ExitCode(2)
    static let badData = ExitCode(65)
    static let noInput = ExitCode(66)
    static let unavailable = ExitCode(69)
    static let killed = ExitCode(70)
    static let cannotWrite = ExitCode(73)
    static let inUse = ExitCode(75)
    static let notAllowed = ExitCode(77)
    /// As a shell tells of a program that Ctrl-C ended.
    static let interrupted = ExitCode(130)
}
