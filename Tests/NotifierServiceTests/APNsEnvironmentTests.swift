import Crypto
import Domain
import Foundation
import Secrets
import TestSupport
import Testing

@testable import NotifierService

@Suite("Where APNs is")
struct APNsEnvironmentTests {
    @Test(
        "an account's environment is production or the sandbox, and production where it has none",
        arguments: [
            (#","environment":"production""#, "https://api.push.apple.com"), ("", "https://api.push.apple.com"),
            (#","environment":"sandbox""#, "https://api.sandbox.push.apple.com"),
            (#","environment":"sandbox","server":"https://localhost:7480""#, "https://localhost:7480"),
        ])
    func environments(members: String, server: String) async throws {
        let folder = try TemporaryFolder()
        let account =
            #"{"apns":{"keyFile":"apns.p8","keyId":"K","teamId":"T","topic":"org.example.app"\#(members)}}"#
        for (name, text) in [("apns.p8", P256.Signing.PrivateKey().pemRepresentation), ("default.json", account)] {
            try #require(
                FileManager.default.createFile(
                    atPath: folder.file(name), contents: Data(text.utf8), attributes: [.posixPermissions: 0o600]))
        }
        let directory = PushDirectory(
            folder: folder.path, sealer: .ephemeral(), provider: ProviderSettings(now: { Timestamp(seconds: 0) }),
            targets: WebPushTargets())
        try await directory.load()
        let driver = directory.driver(.apns, for: TenantID("acme")) as? APNsDriver
        #expect(driver?.settings.serverURL == server)
        await directory.shutdown()
    }
}
