import ArgumentParser
import Foundation
import LoadTest

/// Reports of several processes as one.
struct MergeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "merge",
        abstract: "Add up the JSON reports of several processes that ran the same phases at the same time.",
        discussion: """
            Counts and histograms are added up, so percentiles are those of all sign-ins; rates are completed sign-ins over the longest phase.

            Exit codes: as for run, 65 what is no report or has other phases, 66 no such file.
            """)

    @Argument(help: ArgumentHelp("Files that --json wrote.", valueName: "file"))
    var files: [String]

    @OptionGroup var output: OutputOptions

    func run() throws {
        let reports = try files.map { path in
            guard let data = FileManager.default.contents(atPath: path) else {
                throw failed("\(path) cannot be read", .noInput)
            }
            guard let report = try? JSONDecoder().decode(Report.self, from: data) else {
                throw failed("\(path) is no report of countersign-loadtest", .badData)
            }
            return report
        }
        let merged: Report
        do {
            merged = try Report.merged(reports)
        } catch {
            throw failed("\(error)", .badData)
        }
        try output.finish(merged)
    }
}

/// Says what went wrong in one line; the code to end with.
func failed(_ sentence: String, _ code: ExitCode) -> ExitCode {
    FileHandle.standardError.write(Data("Error: \(sentence)\n".utf8))
    return code
}

/// `work`, where what is wrong with an option ends the program with `code` and a line that says so.
func refusing<Value>(_ code: ExitCode, _ work: () throws -> Value) throws -> Value {
    do {
        return try work()
    } catch let error as ScenarioError {
        throw code == .validationFailure ? ValidationError(error.description) : failed("\(error)", code)
    }
}
