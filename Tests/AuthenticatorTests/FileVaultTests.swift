import Authenticator
import Foundation
import Testing

@Suite("The file of a terminal phone")
final class FileVaultTests {
    private let folder = FileManager.default.temporaryDirectory.appendingPathComponent(
        "countersign-\(UUID().uuidString)"
    ).path
    private var path: String { folder + "/deep/phone.json" }

    deinit { try? FileManager.default.removeItem(atPath: folder) }

    @Test("keys and accounts come back, from a file that only its owner may read")
    func roundTrip() async throws {
        let vault = FileVault(path: path)
        let shared = try await vault.sharedKey()
        let own = try await vault.makeKey()
        let again = FileVault(path: path)
        #expect(try await again.sharedKey().publicKey == shared.publicKey)
        let id = try #require(KeyID(publicKey: own.publicKey))
        #expect(try await again.key(id)?.publicKey == own.publicKey)
        try await again.removeKey(id)
        #expect(try await vault.key(id) == nil)
        let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
        #expect(mode == 0o600)
    }

    @Test("accounts survive, and a phone goes on where it was")
    func accounts() async throws {
        let server = FakeServer()
        let now: @Sendable () -> Date = { Date(timeIntervalSince1970: 1_800_000_000) }
        func phone() -> Authenticator {
            let vault = FileVault(path: path)
            return Authenticator(keys: vault, accounts: vault, transport: server, surroundings: .init(now: now))
        }
        let account = try await phone().activate(
            server.link(), as: DeviceProfile(name: "Test", platform: .cli, osVersion: "1.0", appVersion: "1.0"))
        #expect(try await phone().accounts() == [account])
        #expect(try await phone().pending(account.id).count == 1)
    }

    @Test("a file that others can read is refused", arguments: [0o640, 0o604, 0o660])
    func exposed(mode: Int) async throws {
        let vault = FileVault(path: path)
        _ = try await vault.sharedKey()
        try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path)
        await #expect(throws: FileVault.Failure.exposed) { try await vault.accounts() }
        await #expect(throws: FileVault.Failure.exposed) { _ = try await vault.sharedKey() }
    }

    @Test(
        "a file that is something else is refused and left alone",
        arguments: ["", "{}", "not json", "{\"version\":2,\"keys\":{},\"accounts\":[]}"])
    func corrupt(text: String) async throws {
        try FileManager.default.createDirectory(atPath: folder + "/deep", withIntermediateDirectories: true)
        #expect(
            FileManager.default.createFile(
                atPath: path, contents: Data(text.utf8), attributes: [.posixPermissions: 0o600]))
        await #expect(throws: FileVault.Failure.corrupt) { _ = try await FileVault(path: path).sharedKey() }
        #expect(FileManager.default.contents(atPath: path) == Data(text.utf8))
    }
}
