import ArgumentParser
import Foundation
import LoadTest

/// Removes the people of files.
struct RemoveCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "remove",
        abstract: "Remove the people whom runs with --keep have left.",
        discussion: """
            Each name stands for the files that runs with --keep and this name have left: FILE, and with --processes FILE.0 and up.

            Exit codes: 0 done, 64 usage, 65 a file holds no people of this gateway, 66 no such file, 69 the gateway cannot be reached or \
            somebody could not be removed: then the file stays, 75 a run uses the people.
            """)

    @OptionGroup var place: PlaceOptions

    @Argument(help: ArgumentHelp("The files that --keep named.", valueName: "file"))
    var names: [String]

    func run() async throws {
        let target = try place.target()
        let files = try names.map { name in
            let files = PeopleRemoval.files(named: name)
            guard !files.isEmpty else { throw failed("\(name): there is no such file", .noInput) }
            return files
        }
        var isLeft = false
        for file in files.joined() {
            let left = try await remove(file, target)
            guard left > 0 else { continue }
            isLeft = true
            _ = failed("\(left) people could not be removed: \(file) still names all", .unavailable)
        }
        if isLeft { throw ExitCode.unavailable }
    }

    /// How many could not be removed.
    private func remove(_ file: String, _ target: Target) async throws -> Int {
        do {
            return try await PeopleRemoval(target, keptIn: file).run()
        } catch let error as PeopleInUse {
            throw failed(error.description, .inUse)
        } catch let error as ScenarioError {
            throw failed(error.description, .badData)
        } catch {
            throw failed("\(target.base): \(error)", .unavailable)
        }
    }
}
