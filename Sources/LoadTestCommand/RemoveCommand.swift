import ArgumentParser
import Foundation
import LoadTest

/// Removes the people of a file.
struct RemoveCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "remove",
        abstract: "Remove the people whom runs with --keep have left.",
        discussion: """
            Exit codes: 0 done, 64 usage, 65 the file holds no people of this gateway, 66 no such file, 69 the gateway cannot be reached or \
            somebody could not be removed: then the file stays.
            """)

    @OptionGroup var place: PlaceOptions

    @Argument(help: ArgumentHelp("The file that --keep named.", valueName: "file"))
    var file: String

    func run() async throws {
        let target = try place.target()
        guard FileManager.default.fileExists(atPath: file) else {
            throw failed("\(file): there is no such file", .noInput)
        }
        let left: Int
        do {
            left = try await PeopleRemoval(target, keptIn: file).run()
        } catch let error as ScenarioError {
            throw failed(error.description, .badData)
        } catch {
            throw failed("\(target.base): \(error)", .unavailable)
        }
        if left > 0 { throw failed("\(left) people could not be removed: \(file) still names all", .unavailable) }
    }
}
