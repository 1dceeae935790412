import Foundation

/// A file of what a command sends, without secrets of the installation.
enum InputFile {
    static func read(_ path: String) throws -> Data {
        guard FileManager.default.fileExists(atPath: path) else {
            throw AdminFailure(.noInput, "\(path): no such file")
        }
        guard let data = FileManager.default.contents(atPath: path) else {
            throw AdminFailure(.noInput, "\(path) cannot be read")
        }
        return data
    }
}
