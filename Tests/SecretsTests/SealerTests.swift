import Foundation
import Testing

@testable import Secrets

@Suite struct SealerTests {
    let folder: String

    init() throws {
        folder = NSTemporaryDirectory() + "countersign-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    }

    private var keyFile: String { folder + "/sealing.key" }

    private func write(_ text: String, mode: Int = 0o600) throws {
        try text.write(toFile: keyFile, atomically: true, encoding: .utf8)
        try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: keyFile)
    }

    private func mode() throws -> Int? {
        try FileManager.default.attributesOfItem(atPath: keyFile)[.posixPermissions] as? Int
    }

    @Test("what was sealed opens again, whatever its length", arguments: [0, 1, 15, 16, 17, 70_000])
    func roundTrip(count: Int) throws {
        let sealer = Sealer.ephemeral()
        let plain = randomBytes(count)
        let sealed = try sealer.seal(plain, for: "a purpose")
        #expect(try sealer.open(sealed, for: "a purpose") == plain)
        #expect(sealed.count == plain.count + 33)
    }

    @Test("the same text is never sealed the same way twice")
    func freshNonce() throws {
        let sealer = Sealer.ephemeral()
        #expect(Set(try (0..<100).map { _ in try sealer.seal([1, 2, 3], for: "p") }).count == 100)
    }

    @Test("a change of any byte is noticed")
    func tampering() throws {
        let sealer = Sealer.ephemeral()
        let sealed = try sealer.seal(Array("the secret".utf8), for: "p")
        for index in sealed.indices {
            for bit in 0..<8 {
                var changed = sealed
                changed[index] ^= 1 << UInt8(bit)
                #expect(throws: SecretsError.notGenuine) { try sealer.open(changed, for: "p") }
            }
        }
        for count in 0..<sealed.count {
            #expect(throws: SecretsError.notGenuine) { try sealer.open(Array(sealed[..<count]), for: "p") }
        }
        #expect(throws: SecretsError.notGenuine) { try sealer.open(sealed + [0], for: "p") }
    }

    @Test("sealed for one purpose, it does not open for another")
    func purpose() throws {
        let sealer = Sealer.ephemeral()
        let sealed = try sealer.seal([1], for: "number")
        #expect(throws: SecretsError.notGenuine) { try sealer.open(sealed, for: "numbers") }
        #expect(throws: SecretsError.notGenuine) { try sealer.open(sealed, for: "") }
    }

    @Test("another key does not open it")
    func otherKey() throws {
        let sealed = try Sealer.ephemeral().seal([1], for: "p")
        #expect(throws: SecretsError.notGenuine) { try Sealer.ephemeral().open(sealed, for: "p") }
    }

    @Test("a key file is made at the first start, for its owner alone, and used again at the next")
    func keyFileIsMade() throws {
        let sealed = try Sealer(keyFile: keyFile).seal([7], for: "p")
        #expect(try mode() == 0o600)
        #expect(try Sealer(keyFile: keyFile).open(sealed, for: "p") == [7])
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["sealing.key"])
    }

    @Test("a new key in front seals, and the old one still opens until it is taken away")
    func rotation() throws {
        let (old, new) = (String(repeating: "a1", count: 32), String(repeating: "b2", count: 32))
        try write(old + "\n")
        let before = try Sealer(keyFile: keyFile).seal([1], for: "p")
        try write("# since today\n\(new)\n\n\(old)\n")
        let rotated = try Sealer(keyFile: keyFile)
        #expect(try rotated.open(before, for: "p") == [1])
        let after = try rotated.seal([2], for: "p")
        try write(new + "\n")
        #expect(try Sealer(keyFile: keyFile).open(after, for: "p") == [2])
        #expect(throws: SecretsError.notGenuine) { try Sealer(keyFile: keyFile).open(before, for: "p") }
    }

    @Test("a key file that others may read or write is refused", arguments: [0o640, 0o604, 0o660, 0o644, 0o666, 0o601])
    func readableByOthers(mode: Int) throws {
        try write(String(repeating: "a1", count: 32), mode: mode)
        let error = #expect(throws: SecretsError.self) { try Sealer(keyFile: keyFile) }
        guard case .keyFile(let detail) = error else { return #expect(Bool(false), "\(String(describing: error))") }
        #expect(detail.contains(keyFile) && detail.contains("0600"))
    }

    @Test(
        "a malformed key file is refused by line, and never shown",
        arguments: [
            "", "# nothing\n", "a1\n", String(repeating: "g1", count: 32), String(repeating: "a1", count: 33),
            String(repeating: "a1", count: 32) + "\n" + String(repeating: "a1", count: 32),
        ])
    func malformed(text: String) throws {
        try write(text)
        let error = #expect(throws: SecretsError.self) { try Sealer(keyFile: keyFile) }
        guard case .keyFile(let detail) = error else { return #expect(Bool(false), "\(String(describing: error))") }
        #expect(detail.contains(keyFile) && !detail.contains("a1a1"))
    }

    @Test("a key file in a folder that is not there is refused in words")
    func missingFolder() {
        #expect(throws: SecretsError.self) { try Sealer(keyFile: folder + "/missing/sealing.key") }
    }

    @Test("secrets are compared whole")
    func comparison() {
        #expect(constantTimeEquals([1, 2], [1, 2]) && constantTimeEquals([], []))
        #expect(!constantTimeEquals([1, 2], [1, 3]) && !constantTimeEquals([1], [1, 2]))
    }
}
