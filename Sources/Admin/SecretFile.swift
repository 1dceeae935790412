import Foundation
import Secrets

/// A file that only its owner may read.
enum SecretFile {
    private static let bytesMax = 64 * 1024

    /// The first line's text. Throws for a file that is not there, empty, or open to others.
    static func token(_ path: String) throws -> String {
        let text = String(decoding: try read(path), as: UTF8.self)
        guard let line = text.split(whereSeparator: \.isNewline).first.map({ $0.trimmingCharacters(in: .whitespaces) }),
            !line.isEmpty
        else {
            throw AdminFailure(.badData, "\(path) holds no token")
        }
        return line
    }

    static func read(_ path: String) throws -> Data {
        do {
            return Data(try PrivateFile.read(path, bytesMax: bytesMax))
        } catch {
            throw AdminFailure(.noInput, error.description)
        }
    }

    /// Writes wholly or not at all, readable by the owner only from its first byte.
    static func write(_ data: Data, to path: String) throws {
        let temporary = "\(path).\(ProcessInfo.processInfo.processIdentifier).new"
        let failure = AdminFailure(.cannotWrite, "\(path) cannot be written")
        let folder = URL(fileURLWithPath: path).deletingLastPathComponent().path
        try? FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        unlink(temporary)
        let descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw failure }
        let file = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
        do {
            try file.write(contentsOf: data)
            try file.synchronize()
            try file.close()
        } catch {
            unlink(temporary)
            throw failure
        }
        guard rename(temporary, path) == 0 else {
            unlink(temporary)
            throw failure
        }
    }
}
