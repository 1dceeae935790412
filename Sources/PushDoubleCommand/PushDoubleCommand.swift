// The doubles of the push providers as a program, to try notifier against.
//
// Owns: the folder of keys and accounts that it writes. Must not know: what a provider checks, which is `PushDouble`'s. Start reading here.

import ArgumentParser
import Crypto
import CryptoExtras
import Foundation
import PushDouble

/// Stands in for the push providers, so that a test of load pushes to something that checks and counts.
@main
struct PushDoubleCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "countersign-push-double",
        abstract: "APNs, FCM and a push service that are none: on 127.0.0.1, over TLS and HTTP/2.",
        discussion: """
            Writes into a folder what a notifier needs to send to them: apns.p8, fcm.json, vapid.pem, and roots.pem, the certificate \
            to trust, and default.json, the accounts of every tenant, so that the folder can be notifier.push.folder. Files of these names that it has not \
            written itself it does not replace. Prints every second how \
            many messages each has taken.

            APNs and FCM take whatever is written as their tokens are. The push service makes a subscription for each POST to the URL in subscribe.url (RFC 8030), which the \
            Location of the reply names and its Link is the endpoint of; DELETE ends it. The keys stay with whoever asks.

            Whoever connects to the socket `deliveries` in the folder is told each message's transport and address in a line, and of Web Push \
            the sealed body, as countersign-loadtest --wake does.
            """)

    @Option(help: "The first of three ports: APNs, FCM, Web Push.")
    var port = 7480

    @Option(help: "The folder of the keys; it must exist.")
    var folder: String

    @Option(help: "The application's bundle id that APNs takes.")
    var topic = "org.example.app"

    @Option(help: "Takes so many requests a second at each port and answers 429 with Retry-After to more.")
    var limit: Int?

    @Option(help: "Takes so many requests at the same time over one connection (1 to 10,000).")
    var streams = 100

    @Option(
        help:
            """
            How one of --every requests fails: refuse (503), reset (the stream), goaway, close (the connection), delay, or silence (of the \
            connection, from then on).
            """
    )
    var fault: FaultName?

    @Option(help: "Of how many requests one fails.")
    var every = 100

    @Option(help: ArgumentHelp("How long a delayed answer takes.", valueName: "milliseconds"))
    var delay: Int64 = 1000

    enum FaultName: String, ExpressibleByArgument, CaseIterable { case refuse, reset, goaway, close, delay, silence }

    func validate() throws {
        guard every > 0 else { throw ValidationError("--every is 1 or more") }
        guard limit ?? 1 > 0 else { throw ValidationError("--limit is 1 or more") }
        guard (1...10_000).contains(streams) else { throw ValidationError("--streams is from 1 to 10000") }
        guard (0...600_000).contains(delay) else { throw ValidationError("--delay is from 0 to 600000") }
    }

    private func fault(of double: any ProviderDouble) -> Fault? {
        switch fault {
        case nil: nil
        case .refuse: .refuse(double.unavailable)
        case .reset: .reset
        case .goaway: .goAway(reason: "Shutdown")
        case .close: .close
        case .delay: .delay(milliseconds: delay)
        case .silence: .silence
        }
    }

    func run() async throws {
        try refuseForeignFiles()
        let apnsKey = P256.Signing.PrivateKey()
        let fcmKey = try _RSA.Signing.PrivateKey(keySize: .bits2048)
        let certificate = try DoubleCertificate()
        let feed = DeliveryFeed()
        let apns = APNsDouble(
            key: apnsKey.publicKey, keyID: Self.keyID, teamID: Self.teamID, topics: [topic], now: Self.now,
            onDelivery: { feed.delivered("apns", $0) })
        let fcm = FCMDouble(
            key: fcmKey.publicKey, projectID: "double", clientEmail: "push@double.example", now: Self.now,
            onDelivery: { feed.delivered("fcm", $0) })
        let webPush = WebPushDouble(now: Self.now, onDelivery: { feed.delivered("webpush", $0, body: $1) })
        let tokenURL = "https://localhost:\(port + 1)/token"
        fcm.setTokenURL(tokenURL)
        let pushService = "https://localhost:\(port + 2)"
        webPush.setOrigin(pushService)
        try write(certificate.pem, "roots.pem")
        try write(apnsKey.pemRepresentation, "apns.p8")
        try write(P256.Signing.PrivateKey().pemRepresentation, "vapid.pem")
        try write(Self.account(fcmKey.pemRepresentation, tokenURL), "fcm.json")
        try write(pushService + WebPushDouble.subscribePath + "\n", "subscribe.url")
        try write(try accounts(), "default.json")
        try await feed.start(path: folder + "/deliveries")
        let doubles: [any ProviderDouble] = [apns, fcm, webPush]
        for (offset, double) in doubles.enumerated() {
            let server = DoubleServer(double, requestsKept: 0, streamsMax: streams, now: Self.now)
            server.limit(to: limit)
            if let fault = fault(of: double) { server.fail(fault, every: every) }
            _ = try await server.start(port: port + offset, certificate: certificate)
        }
        say("a browser's subscription: \(webPush.subscribe().address(at: pushService))")
        while true {
            // A person watches: nothing depends on how long this takes.
            try await Task.sleep(for: .seconds(1))
            say("taken: apns \(apns.delivered), fcm \(fcm.delivered), webpush \(webPush.delivered)")
        }
    }

    /// A folder of a notifier may have an operator's accounts in it, with keys that no provider gives twice: only what an earlier double
    /// wrote, as its default.json says, is written over.
    private func refuseForeignFiles() throws {
        let files = ["default.json", "roots.pem", "apns.p8", "vapid.pem", "fcm.json", "subscribe.url"]
        guard let found = files.first(where: { FileManager.default.fileExists(atPath: folder + "/" + $0) }) else {
            return
        }
        struct Accounts: Decodable {
            struct APNs: Decodable { let keyId, teamId, server: String? }
            let apns: APNs?
        }
        let accounts = FileManager.default.contents(atPath: folder + "/default.json")
            .flatMap { try? JSONDecoder().decode(Accounts.self, from: $0) }
        guard let apns = accounts?.apns, apns.keyId == Self.keyID, apns.teamId == Self.teamID,
            apns.server?.hasPrefix("https://localhost:") == true
        else { throw ValidationError("\(folder)/\(found) is not of countersign-push-double, which would replace it") }
    }

    private static let keyID = "DOUBLEKEY1"
    private static let teamID = "DOUBLETEAM"

    /// At once, also where nobody but a program reads.
    private func say(_ line: String) { FileHandle.standardOutput.write(Data((line + "\n").utf8)) }

    @Sendable private static func now() -> Int64 { Int64(Date().timeIntervalSince1970) }

    /// For their owner alone, as every key is.
    private func write(_ text: String, _ name: String) throws {
        let path = folder + "/" + name
        guard
            FileManager.default.createFile(
                atPath: path, contents: Data(text.utf8), attributes: [.posixPermissions: 0o600])
        else { throw ValidationError("\(path) cannot be written") }
    }

    /// What a notifier reads: where the doubles are, and with which key each is asked.
    private func accounts() throws -> String {
        try Self.json([
            "apns": [
                "keyFile": "apns.p8", "keyId": Self.keyID, "teamId": Self.teamID, "topic": topic,
                "server": "https://localhost:\(port)",
            ],
            "fcm": ["serviceAccountFile": "fcm.json", "server": "https://localhost:\(port + 1)"],
            "webpush": ["keyFile": "vapid.pem", "subject": "mailto:push@double.example"],
        ])
    }

    private static func account(_ key: String, _ tokenURL: String) throws -> String {
        try json([
            "type": "service_account", "project_id": "double", "private_key_id": "double-1", "private_key": key,
            "client_email": "push@double.example", "token_uri": tokenURL,
        ])
    }

    private static func json(_ members: [String: Any]) throws -> String {
        String(
            decoding: try JSONSerialization.data(
                withJSONObject: members, options: [.sortedKeys, .withoutEscapingSlashes]),
            as: UTF8.self)
    }
}
