import Crypto
import CryptoExtras
import Domain
import Foundation
import Secrets
import ServiceKit
import TestSupport
import Testing

@testable import NotifierService

@Suite("Sealed keys of accounts")
struct SealedAccountTests {
    private let folder: TemporaryFolder
    private let sealer: Sealer

    init() throws {
        folder = try TemporaryFolder()
        try Data((String(repeating: "ab", count: 32) + "\n").utf8).write(
            to: URL(fileURLWithPath: folder.file("old.key")))
        try Data((String(repeating: "cd", count: 32) + "\n" + String(repeating: "ab", count: 32) + "\n").utf8).write(
            to: URL(fileURLWithPath: folder.file("ring.key")))
        for name in ["old.key", "ring.key"] {
            try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: folder.file(name))
        }
        sealer = try Sealer(keyFile: folder.file("old.key"))
    }

    private func directory(_ sealer: Sealer? = nil, requiresSealedKeys: Bool = true) throws -> PushDirectory {
        try FileManager.default.createDirectory(atPath: folder.file("push"), withIntermediateDirectories: true)
        return PushDirectory(
            folder: folder.file("push"), sealer: sealer ?? self.sealer, requiresSealedKeys: requiresSealedKeys,
            provider: ProviderSettings(now: { Timestamp(seconds: 0) }), targets: WebPushTargets())
    }

    private func write(_ name: String, _ bytes: [UInt8]) throws {
        try #require(
            FileManager.default.createFile(
                atPath: folder.file("push/" + name), contents: Data(bytes), attributes: [.posixPermissions: 0o600]))
    }

    private func seal(_ key: [UInt8], _ transport: PushTransport, of account: String) throws -> [UInt8] {
        try SealedFile.seal(key, with: sealer, for: transport.sealingPurpose(account: account))
    }

    private let pem = Array(P256.Signing.PrivateKey().pemRepresentation.utf8)
    private let apns = Array(#"{"apns":{"keyFile":"apns.sealed","keyId":"K","teamId":"T","topic":"t"}}"#.utf8)

    @Test("all three kinds are opened, and nothing of a key is in the folder")
    func kinds() async throws {
        let directory = try directory()
        let account = try serviceAccountFile(_RSA.Signing.PrivateKey(keySize: .bits2048)).value
        try write("apns.sealed", seal(pem, .apns, of: "default"))
        try write("vapid.sealed", seal(pem, .webpush, of: "default"))
        // Whatever the name of a sealed key is, it is no tenant's document.
        try write("fcm.json", seal(account, .fcm, of: "default"))
        try write(
            "default.json",
            Array(
                (#"{"apns":{"keyFile":"apns.sealed","keyId":"K","teamId":"T","topic":"t"},"#
                    + #""fcm":{"serviceAccountFile":"fcm.json"},"#
                    + #""webpush":{"keyFile":"vapid.sealed","subject":"mailto:a@example.org"}}"#).utf8))
        try await directory.load()
        #expect(directory.drivers.allSatisfy { $0.serves(TenantID("acme")) })
        await directory.shutdown()
        for name in ["apns.sealed", "vapid.sealed", "fcm.json"] {
            let stored = try #require(FileManager.default.contents(atPath: folder.file("push/" + name)))
            #expect(stored.range(of: Data("PRIVATE KEY".utf8)) == nil)
        }
    }

    @Test(
        "a key that was sealed for another tenant, another provider or under another ring is refused, and the old one stays",
        arguments: [(PushTransport.apns, "other"), (.webpush, "acme"), (.apns, "default")])
    func bound(transport: PushTransport, account: String) async throws {
        let directory = try directory()
        try write("acme.json", apns)
        try write("apns.sealed", seal(pem, .apns, of: "acme"))
        try await directory.load()
        let driver = directory.driver(.apns, for: TenantID("acme")) as? APNsDriver
        try write("apns.sealed", seal(pem, transport, of: account))
        let problem = await #expect(throws: ConfigurationProblem.self) { try await directory.load() }
        #expect(problem?.description.contains("is not sealed as the key for apns of acme") == true)
        let purpose = PushTransport.apns.sealingPurpose(account: "acme")
        try write("apns.sealed", SealedFile.seal(pem, with: .ephemeral(), for: purpose))
        await #expect(throws: ConfigurationProblem.self) { try await directory.load() }
        #expect(driver != nil && directory.driver(.apns, for: TenantID("acme")) as? APNsDriver === driver)
        await directory.shutdown()
    }

    @Test("a changed byte is refused, without a word of what the file holds")
    func changed() async throws {
        let directory = try directory()
        try write("acme.json", apns)
        var file = try seal(pem, .apns, of: "acme")
        file[file.count - 1] ^= 1
        try write("apns.sealed", file)
        let problem = await #expect(throws: ConfigurationProblem.self) { try await directory.load() }
        #expect(problem?.description.contains("apns.sealed") == true)
    }

    @Test("a key in clear is taken or refused, as the configuration says")
    func clear() async throws {
        try await load(requiresSealedKeys: false)
        let problem = await #expect(throws: ConfigurationProblem.self) { try await load(requiresSealedKeys: true) }
        #expect(problem?.description.hasSuffix("is not sealed, as notifier.push.keys wants it") == true)
    }

    private func load(requiresSealedKeys: Bool) async throws {
        let directory = try directory(requiresSealedKeys: requiresSealedKeys)
        try write("acme.json", apns)
        try write("apns.sealed", pem)
        try await directory.load()
        await directory.shutdown()
    }

    @Test("a key that is sealed anew under the ring's next key keeps its driver, so its connection and token")
    func ring() async throws {
        let ring = try Sealer(keyFile: folder.file("ring.key"))
        let directory = try directory(ring)
        try write("acme.json", apns)
        let old = try seal(pem, .apns, of: "acme")
        try write("apns.sealed", old)
        try await directory.load()
        let driver = directory.driver(.apns, for: TenantID("acme")) as? APNsDriver
        let purpose = PushTransport.apns.sealingPurpose(account: "acme")
        let renewed = try SealedFile.seal(SealedFile.open(old, with: ring, for: purpose), with: ring, for: purpose)
        #expect(throws: SecretsError.notGenuine) { try SealedFile.open(renewed, with: sealer, for: purpose) }
        try write("apns.sealed", renewed)
        try await directory.load()
        #expect(driver != nil && directory.driver(.apns, for: TenantID("acme")) as? APNsDriver === driver)
        await directory.shutdown()
    }

    @Test("a ring that got a key is read again with the accounts; one that is gone is not made, and the accounts stay")
    func newKey() async throws {
        let directory = try directory()
        try write("acme.json", apns)
        try write("apns.sealed", seal(pem, .apns, of: "acme"))
        try await directory.load()
        let driver = directory.driver(.apns, for: TenantID("acme")) as? APNsDriver
        let both = try #require(FileManager.default.contents(atPath: folder.file("ring.key")))
        try both.write(to: URL(fileURLWithPath: folder.file("old.key")))
        let ring = try Sealer(keyFile: folder.file("ring.key"))
        let purpose = PushTransport.apns.sealingPurpose(account: "acme")
        try write("apns.sealed", SealedFile.seal(pem, with: ring, for: purpose))
        try await directory.load()
        #expect(driver != nil && directory.driver(.apns, for: TenantID("acme")) as? APNsDriver === driver)
        try FileManager.default.removeItem(atPath: folder.file("old.key"))
        let problem = await #expect(throws: ConfigurationProblem.self) { try await directory.load() }
        #expect(problem?.description.contains("old.key: cannot be read") == true)
        #expect(!FileManager.default.fileExists(atPath: folder.file("old.key")))
        #expect(directory.driver(.apns, for: TenantID("acme")) as? APNsDriver === driver)
        await directory.shutdown()
    }
}
