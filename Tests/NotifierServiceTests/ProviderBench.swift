import Crypto
import CryptoExtras
import Domain
import Foundation
import NotifierService
import PushDouble
import ServiceKit
import TestSupport
import Testing

/// Doubles of the providers on this machine, and drivers that trust them alone. Clocks are set by hand.
final class ProviderBench: Sendable {
    let clock = HandClock(Timestamp(seconds: 1_750_000_000))
    let certificate: DoubleCertificate
    private let folder: TemporaryFolder

    init() throws {
        certificate = try DoubleCertificate()
        folder = try TemporaryFolder()
        try Data(certificate.pem.utf8).write(to: URL(fileURLWithPath: folder.file("roots.pem")))
    }

    var provider: ProviderSettings {
        let clock = clock
        var settings = ProviderSettings(now: { clock.now })
        settings.trustRootsFile = folder.file("roots.pem")
        // Nothing here waits for these to end: they are for a machine that is busy.
        settings.timeout = .seconds(50)
        settings.connectTimeout = .seconds(50)
        return settings
    }

    var seconds: @Sendable () -> Int64 {
        let clock = clock
        return { clock.now.seconds }
    }

    func wakeUp(_ challenge: String = "challenge-1", lifetime: Duration = .seconds(60)) -> WakeUp {
        WakeUp(
            tenant: TenantID("demo"), challenge: ChallengeID(challenge), device: DeviceID("device-1"),
            expiresAt: clock.now + lifetime)
    }
}

/// APNs, and a driver for it.
struct APNsBench {
    static let token = String(repeating: "0a", count: 32)
    static let address = Redacted(Array(#"{"token":"\#(token)"}"#.utf8))

    let bench: ProviderBench
    let double: APNsDouble
    let server: DoubleServer
    let driver: APNsDriver

    /// `topic` is the one that our settings have; the double takes `org.example.app`.
    init(
        topic: String = "org.example.app", knowsKey: Bool = true, streamsMax: Int = 100,
        _ change: (inout ProviderSettings) -> Void = { _ in }
    ) async throws {
        bench = try ProviderBench()
        var provider = bench.provider
        change(&provider)
        let key = P256.Signing.PrivateKey()
        let known = knowsKey ? key.publicKey : P256.Signing.PrivateKey().publicKey
        double = APNsDouble(
            key: known, keyID: "KEY1234567", teamID: "TEAM123456", topics: ["org.example.app"], now: bench.seconds)
        server = DoubleServer(double, streamsMax: streamsMax, now: bench.seconds)
        let port = try await server.start(certificate: bench.certificate)
        let signing = APNsSigningKey(keyID: "KEY1234567", teamID: "TEAM123456", pem: Redacted(key.pemRepresentation))
        driver = APNsDriver(
            APNsSettings(
                key: try #require(signing), topic: topic, serverURL: "https://localhost:\(port)"), provider)
    }

    func send(_ challenge: String = "challenge-1", to address: Redacted<[UInt8]> = Self.address) async -> PushOutcome {
        await driver.send(bench.wakeUp(challenge), to: address).outcome
    }

    func stop() async {
        await driver.shutdown()
        await server.stop()
    }
}

/// FCM with Google's token endpoint, and a driver for them.
struct FCMBench {
    static let address = Redacted(Array(#"{"token":"phone-1"}"#.utf8))

    let bench: ProviderBench
    let double: FCMDouble
    let server: DoubleServer
    let driver: FCMDriver

    init(knowsKey: Bool = true) async throws {
        bench = try ProviderBench()
        let key = try _RSA.Signing.PrivateKey(keySize: .bits2048)
        let known = knowsKey ? key : try _RSA.Signing.PrivateKey(keySize: .bits2048)
        double = FCMDouble(
            key: known.publicKey, projectID: "project-1", clientEmail: "push@project-1.example", now: bench.seconds)
        server = DoubleServer(double, now: bench.seconds)
        let origin = "https://localhost:\(try await server.start(certificate: bench.certificate))"
        double.setTokenURL(origin + "/token")
        let file = try serviceAccountFile(key, tokenURL: origin + "/token")
        let account = try #require(FCMServiceAccount(file: file))
        driver = FCMDriver(FCMSettings(account: account, serverURL: origin), bench.provider)
    }

    func send() async -> PushOutcome { await driver.send(bench.wakeUp(), to: Self.address).outcome }

    func stop() async {
        await driver.shutdown()
        await server.stop()
    }
}

/// A push service, and a driver that may reach it although it is on this machine.
struct WebPushBench {
    let bench: ProviderBench
    let double: WebPushDouble
    let server: DoubleServer
    let driver: WebPushDriver
    let origin: String
    let key: VAPIDKey

    init(
        hosts: [String] = ["localhost"], blocks: [String] = ["127.0.0.0/8"],
        lookUp: @escaping @Sendable (String) async -> [String] = { _ in ["127.0.0.1"] },
        onDelivery: @escaping @Sendable (String, [UInt8]) -> Void = { _, _ in }
    ) async throws {
        bench = try ProviderBench()
        double = WebPushDouble(now: bench.seconds, onDelivery: onDelivery)
        server = DoubleServer(double, now: bench.seconds)
        origin = "https://localhost:\(try await server.start(certificate: bench.certificate))"
        double.setOrigin(origin)
        let pem = Redacted(P256.Signing.PrivateKey().pemRepresentation)
        key = try #require(VAPIDKey(subject: "mailto:operator@example.org", pem: pem))
        driver = WebPushDriver(
            WebPushSettings(
                key: key,
                targets: WebPushTargets(hosts: hosts, allowedBlocks: blocks.compactMap { AddressBlock($0) })),
            bench.provider, lookUp: lookUp)
    }

    func send(to subscription: WebPushBrowser, at origin: String? = nil) async -> PushOutcome {
        let address = subscription.address(at: origin ?? self.origin)
        return await driver.send(bench.wakeUp(), to: Redacted(Array(address.utf8))).outcome
    }

    func stop() async {
        await driver.shutdown()
        await server.stop()
    }
}
