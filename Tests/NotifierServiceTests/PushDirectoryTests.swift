import Crypto
import CryptoExtras
import Domain
import Foundation
import Secrets
import ServiceKit
import TestSupport
import Testing

@testable import NotifierService

@Suite("Accounts at push providers")
struct PushDirectoryTests {
    private let folder: TemporaryFolder
    private let directory: PushDirectory

    init() throws {
        folder = try TemporaryFolder()
        directory = PushDirectory(
            folder: folder.path, sealer: .ephemeral(), provider: ProviderSettings(now: { Timestamp(seconds: 0) }),
            targets: WebPushTargets())
    }

    private func write(_ name: String, _ text: String, mode: Int = 0o600) throws {
        try #require(
            FileManager.default.createFile(
                atPath: folder.file(name), contents: Data(text.utf8), attributes: [.posixPermissions: mode]))
    }

    private func writeAPNs(_ name: String, topic: String = "org.example.app") throws {
        try write(
            name,
            #"{"apns":{"keyFile":"apns.p8","keyId":"K","teamId":"T","topic":"\#(topic)","environment":"sandbox"}}"#)
    }

    private func writeKey(mode: Int = 0o600) throws {
        try write("apns.p8", P256.Signing.PrivateKey().pemRepresentation, mode: mode)
    }

    private func apns(_ tenant: String) -> APNsDriver? {
        directory.driver(.apns, for: TenantID(tenant)) as? APNsDriver
    }

    @Test("a tenant's own account goes before the one for all")
    func tenants() async throws {
        try writeKey()
        try writeAPNs("default.json")
        try writeAPNs("acme.json", topic: "org.example.acme")
        try await directory.load()
        #expect(apns("acme") != nil && apns("acme") !== apns("other"))
        #expect(apns("other") === apns("another"))
        #expect(directory.driver(.fcm, for: TenantID("acme")) == nil)
        let driver = try #require(directory.drivers.first { $0.transport == .fcm })
        #expect(!driver.serves(TenantID("acme")))
        await directory.shutdown()
    }

    @Test("a folder without accounts, or none at all, serves nobody")
    func none() async throws {
        try await directory.load()
        #expect(directory.drivers.allSatisfy { !$0.serves(TenantID("acme")) })
        let nowhere = PushDirectory(
            folder: folder.file("nowhere"), sealer: .ephemeral(),
            provider: ProviderSettings(now: { Timestamp(seconds: 0) }),
            targets: WebPushTargets())
        try await nowhere.load()
    }

    @Test("all three kinds are read, and a service account beside them is no tenant")
    func kinds() async throws {
        try writeKey()
        try write("vapid.pem", P256.Signing.PrivateKey().pemRepresentation)
        let account = try serviceAccountFile(_RSA.Signing.PrivateKey(keySize: .bits2048))
        try write("account.json", String(decoding: account.value, as: UTF8.self))
        try write(
            "default.json",
            #"{"apns":{"keyFile":"apns.p8","keyId":"K","teamId":"T","topic":"t"},"fcm":{"serviceAccountFile":"account.json"},"#
                + #""webpush":{"keyFile":"vapid.pem","subject":"mailto:a@example.org"}}"#)
        try await directory.load()
        #expect(directory.drivers.allSatisfy { $0.serves(TenantID("acme")) })
        await directory.shutdown()
    }

    @Test("an account is a party, and of Web Push each service is one, whosever account sends to it")
    func parties() async throws {
        try writeKey()
        try writeAPNs("acme.json")
        try write("vapid.pem", P256.Signing.PrivateKey().pemRepresentation)
        for name in ["acme", "default"] {
            let webPush = #""webpush":{"keyFile":"vapid.pem","subject":"mailto:\#(name)@example.org"}"#
            let apns = #""apns":{"keyFile":"apns.p8","keyId":"K","teamId":"T","topic":"t"}"#
            try write(name + ".json", "{\(apns),\(webPush)}")
        }
        try await directory.load()
        func parties(_ transport: PushTransport, _ addresses: String...) throws -> [String] {
            let driver = try #require(directory.drivers.first { $0.transport == transport })
            return addresses.flatMap { address in
                ["acme", "other", "another"].map {
                    driver.route(to: Redacted(Array(address.utf8)), of: TenantID($0)).party
                }
            }
        }
        #expect(try parties(.apns, #"{"token":"0a"}"#) == ["acme", "default", "default"])
        let mozilla = "https://updates.push.services.mozilla.com"
        func subscription(_ origin: String) -> String { #"{"endpoint":"\#(origin)/1","p256dh":"BA","auth":"AA"}"# }
        #expect(
            try parties(.webpush, subscription(mozilla), subscription("https://elsewhere.example"))
                == [mozilla, mozilla, mozilla, "acme", "default", "default"])
        await directory.shutdown()
    }

    @Test("what has not changed keeps its driver, what has gets another, and what is gone has none")
    func reload() async throws {
        try writeKey()
        try writeAPNs("default.json")
        try writeAPNs("acme.json")
        try await directory.load()
        let (own, all) = (apns("acme"), apns("other"))
        try writeAPNs("acme.json", topic: "org.example.acme")
        try await directory.load()
        #expect(apns("acme") !== own && apns("other") === all)
        try writeKey()
        try FileManager.default.removeItem(atPath: folder.file("acme.json"))
        try await directory.load()
        #expect(apns("other") !== all && apns("acme") === apns("other"))
        await directory.shutdown()
    }

    @Test("a folder that cannot be read changes nothing, and one that is gone has no accounts")
    func unreadable() async throws {
        let path = folder.file("accounts")
        let accounts = PushDirectory(
            folder: path, sealer: .ephemeral(), provider: ProviderSettings(now: { Timestamp(seconds: 0) }),
            targets: WebPushTargets())
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
        try writeKey()
        try writeAPNs("accounts/default.json")
        try FileManager.default.moveItem(atPath: folder.file("apns.p8"), toPath: path + "/apns.p8")
        try await accounts.load()
        func driver() -> APNsDriver? { accounts.driver(.apns, for: TenantID("acme")) as? APNsDriver }
        let known = try #require(driver())
        // As root anything may be read but what is no folder.
        try FileManager.default.moveItem(atPath: path, toPath: path + ".away")
        try write("accounts", "")
        let problem = await #expect(throws: ConfigurationProblem.self) { try await accounts.load() }
        #expect(problem?.description.contains(path) == true)
        #expect(driver() === known)
        try FileManager.default.removeItem(atPath: path)
        try await accounts.load()
        #expect(driver() == nil)
        await accounts.shutdown()
    }

    @Test("a reading that fails changes nothing and does not say what is in the files")
    func broken() async throws {
        try writeKey()
        try writeAPNs("default.json")
        try await directory.load()
        let driver = apns("acme")
        for (name, text, mode) in [
            ("default.json", #"{"apns":{"keyFile":"apns.p8","keyId":"SECRET"}}"#, 0o600),
            ("default.json", "SECRET", 0o600),
            ("apns.p8", "SECRET", 0o600), ("apns.p8", "SECRET", 0o644), ("default.json", "{}", 0o640),
        ] {
            try writeKey()
            try writeAPNs("default.json")
            try write(name, text, mode: mode)
            let problem = await #expect(throws: ConfigurationProblem.self) { try await directory.load() }
            #expect(problem?.description.contains(folder.file(name)) == true)
            #expect(problem?.description.contains("SECRET") == false)
            #expect(apns("acme") === driver)
        }
        await directory.shutdown()
    }
}
