import Foundation
import Testing

@testable import Secrets

@Suite struct PrivateFileTests {
    let folder: String

    init() throws {
        folder = NSTemporaryDirectory() + "countersign-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    }

    private func file(_ name: String, _ text: String, mode: Int = 0o600) throws -> String {
        let path = "\(folder)/\(name)"
        try text.write(toFile: path, atomically: false, encoding: .utf8)
        try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path)
        return path
    }

    private func fault(_ path: String, bytesMax: Int = 100) -> String? {
        do {
            _ = try PrivateFile.read(path, bytesMax: bytesMax)
            return nil
        } catch {
            return error.path == path ? error.detail : "names \(error.path)"
        }
    }

    @Test("a file is read whole, up to the most that it may have")
    func whole() throws {
        let text = String(repeating: "0123456789", count: 2_000)
        let path = try file("secret", text)
        #expect(try PrivateFile.read(path, bytesMax: 20_000) == Array(text.utf8))
        #expect(fault(path, bytesMax: 19_999) == "is longer than 19999 bytes")
    }

    @Test("a link is followed, and what it leads to is judged")
    func links() throws {
        let link = "\(folder)/link"
        try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: try file("secret", "word"))
        #expect(try PrivateFile.read(link, bytesMax: 100) == Array("word".utf8))
        try FileManager.default.setAttributes([.posixPermissions: 0o640], ofItemAtPath: "\(folder)/secret")
        #expect(fault(link)?.contains("0600") == true)
    }

    @Test("what others may read, what is no file and what is not there are told apart, without what is in them")
    func faults() throws {
        for mode in [0o640, 0o604, 0o620, 0o601] {
            let detail = fault(try file("open", "SECRET", mode: mode))
            #expect(detail?.contains("0600") == true && detail?.contains("SECRET") == false)
        }
        #expect(fault(folder) == "is not a file")
        let pipe = "\(folder)/pipe"
        #expect(mkfifo(pipe, 0o600) == 0)
        #expect(fault(pipe) == "is not a file")
        #expect(fault("\(folder)/none")?.contains("cannot be read: No such file") == true)
    }

    @Test("a file that is missing is made once, for its owner alone, and leaves nothing beside it")
    func made() throws {
        let path = "\(folder)/made"
        for text in ["first", "second"] {
            let read = try PrivateFile.read(path, bytesMax: 100) { Array(text.utf8) }
            #expect(read == Array("first".utf8))
        }
        #expect(try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int == 0o600)
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["made"])
        #expect(throws: PrivateFile.Fault.self) { try PrivateFile.read("\(folder)/no/made", bytesMax: 100) { [] } }
    }

    @Test("of several that make the same file at the same moment, all read the first one's")
    func race() async throws {
        let path = "\(folder)/raced"
        let read = await withTaskGroup(of: [UInt8]?.self) { group in
            for number in UInt8(0)..<16 {
                group.addTask { try? PrivateFile.read(path, bytesMax: 100) { [number] } }
            }
            return await group.reduce(into: []) { $0.append($1) }
        }
        #expect(Set(read).count == 1 && read.first != [UInt8]?.none)
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["raced"])
    }
}
