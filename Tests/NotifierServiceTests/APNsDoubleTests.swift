import Crypto
import Domain
import PushDouble
import Testing

@testable import NotifierService

/// A request that APNs refuses, as it differs from one that it takes.
struct RefusedRequest: CustomTestStringConvertible, Sendable {
    let status: Int
    let reason: String
    var method = "POST"
    var path = "/3/device/" + APNsBench.token
    /// Nil for one that is not there.
    var headers: [String: String?] = [:]
    /// Is there once more.
    var twice: String?
    var body = #"{"aps":{}}"#

    init(_ status: Int, _ reason: String, _ change: (inout RefusedRequest) -> Void) {
        self.status = status
        self.reason = reason
        change(&self)
    }

    var testDescription: String { "\(reason) \(method) \(headers.keys.joined()) \(body.count)" }
}

@Suite("The double of APNs refuses what APNs refuses")
struct APNsDoubleTests {
    private static let time: Int64 = 1_750_000_000
    private let key = P256.Signing.PrivateKey()
    private let double: APNsDouble

    init() {
        double = APNsDouble(
            key: key.publicKey, keyID: "KEY1234567", teamID: "TEAM123456", topics: ["org.example.app"],
            now: { Self.time })
    }

    private func token(
        keyID: String = "KEY1234567", teamID: String = "TEAM123456", age: Int64 = 0,
        by other: P256.Signing.PrivateKey? = nil
    ) throws -> String {
        let pem = Redacted((other ?? key).pemRepresentation)
        let key = try #require(APNsSigningKey(keyID: keyID, teamID: teamID, pem: pem))
        return "bearer \(try key.token(issuedAt: Timestamp(seconds: Self.time - age)))"
    }

    private func reply(to row: RefusedRequest, authorization: String?, connection: Int = 1) -> DoubleReply {
        var headers: [String: String?] = [
            "authorization": authorization, "apns-topic": "org.example.app", "apns-push-type": "alert",
            "apns-priority": "10", "apns-expiration": "1750000060", "apns-collapse-id": "c",
            "apns-id": "6e05ddab-9e39-85bb-991a-f67e14d1b7ba",
        ]
        headers.merge(row.headers) { _, changed in changed }
        var sent = headers.compactMap { name, value in value.map { (name: name, value: $0) } }
        if let name = row.twice { sent.append((name: name, value: "1")) }
        return double.reply(
            to: DoubleRequest(
                connection: connection, method: row.method, path: row.path, headers: sent, body: Array(row.body.utf8)))
    }

    private static let alert = RefusedRequest(200, "") { _ in }

    static let rows: [RefusedRequest] = [
        RefusedRequest(405, "MethodNotAllowed") { $0.method = "GET" },
        RefusedRequest(404, "BadPath") { $0.path = "/2/device/" + APNsBench.token },
        RefusedRequest(400, "MissingDeviceToken") { $0.path = "/3/device/" },
        RefusedRequest(400, "BadDeviceToken") { $0.path = "/3/device/0a0b" },
        RefusedRequest(400, "BadDeviceToken") { $0.path = "/3/device/" + String(repeating: "0g", count: 32) },
        RefusedRequest(400, "MissingTopic") { $0.headers = ["apns-topic": nil] },
        RefusedRequest(400, "TopicDisallowed") { $0.headers = ["apns-topic": "org.example.other"] },
        RefusedRequest(400, "InvalidPushType") { $0.headers = ["apns-push-type": "shout"] },
        RefusedRequest(400, "BadPriority") { $0.headers = ["apns-priority": "11"] },
        RefusedRequest(400, "BadPriority") { $0.headers = ["apns-push-type": "background"] },
        RefusedRequest(400, "BadExpirationDate") { $0.headers = ["apns-expiration": "soon"] },
        RefusedRequest(400, "BadCollapseId") { $0.headers = ["apns-collapse-id": String(repeating: "c", count: 65)] },
        RefusedRequest(400, "BadMessageId") { $0.headers = ["apns-id": "1"] },
        RefusedRequest(400, "BadMessageId") { $0.headers = ["apns-id": "6E05DDAB-9E39-85BB-991A-F67E14D1B7BA"] },
        RefusedRequest(400, "DuplicateHeaders") { $0.twice = "apns-priority" },
        RefusedRequest(400, "PayloadEmpty") { $0.body = "" },
        RefusedRequest(400, "PayloadEmpty") { $0.body = "wake up" },
        RefusedRequest(400, "PayloadEmpty") { $0.body = #"{"c":"1"}"# },
        RefusedRequest(400, "PayloadEmpty") { $0.body = #"{"aps":"1"}"# },
        RefusedRequest(413, "PayloadTooLarge") {
            $0.body = #"{"aps":{},"c":"\#(String(repeating: "c", count: 4080))"}"#
        },
    ]

    @Test("each thing that is wrong has its own reason", arguments: rows)
    func refused(row: RefusedRequest) throws {
        let authorization = try token()
        let reply = reply(to: row, authorization: authorization)
        #expect(reply.status == row.status)
        #expect(reply.body == #"{"reason":"\#(row.reason)"}"#)
    }

    @Test("what is at its limit is taken, and what need not be there may be missing")
    func taken() throws {
        let authorization = try token()
        #expect(reply(to: Self.alert, authorization: authorization).status == 200)
        let longest = RefusedRequest(200, "") { request in
            request.headers = ["apns-collapse-id": String(repeating: "c", count: 64)]
            request.body = #"{"aps":{},"c":"\#(String(repeating: "c", count: 4096 - 17))"}"#
        }
        #expect(longest.body.utf8.count == 4096)
        #expect(reply(to: longest, authorization: authorization).status == 200)
        let least = RefusedRequest(200, "") { request in
            for name in ["apns-push-type", "apns-priority", "apns-expiration", "apns-collapse-id", "apns-id"] {
                request.headers[name] = .some(nil)
            }
        }
        #expect(reply(to: least, authorization: authorization).status == 200)
        #expect(double.delivered == 3)
    }

    @Test("a token is the team's, under the right key, and an hour old at most")
    func tokens() throws {
        let (missing, invalid) = (#"{"reason":"MissingProviderToken"}"#, #"{"reason":"InvalidProviderToken"}"#)
        let answers: [(String?, String)] = [
            (nil, missing), ("basic YTpi", missing), ("bearer a.b.c", invalid),
            (try token(by: P256.Signing.PrivateKey()), invalid), (try token(keyID: "KEY7654321"), invalid),
            (try token(teamID: "TEAM654321"), invalid), (try token(age: -61), invalid), (try token(age: -60), ""),
            (try token(age: 3599), ""), (try token(age: 3600), #"{"reason":"ExpiredProviderToken"}"#),
        ]
        // Each over a connection of its own, which has seen no other.
        for (connection, (authorization, body)) in answers.enumerated() {
            let reply = reply(to: Self.alert, authorization: authorization, connection: connection)
            #expect(reply.body == body, "\(connection)")
        }
    }

    @Test("a second token within twenty minutes is refused, and the first is taken still")
    func tokenUpdates() throws {
        let (first, second) = (try token(age: 60), try token())
        #expect(reply(to: Self.alert, authorization: first).status == 200)
        let refused = reply(to: Self.alert, authorization: second)
        #expect(refused.status == 429 && refused.body == #"{"reason":"TooManyProviderTokenUpdates"}"#)
        #expect(reply(to: Self.alert, authorization: first).status == 200)
        #expect(reply(to: Self.alert, authorization: second, connection: 2).status == 200)
    }

    @Test("an application that is not installed any more is said to be so, since when, and other phones' are")
    func unregistered() throws {
        double.unregister(APNsBench.token)
        let authorization = try token()
        let reply = reply(to: Self.alert, authorization: authorization)
        #expect(reply.status == 410)
        #expect(reply.body == #"{"reason":"Unregistered","timestamp":1750000000000}"#)
        let other = RefusedRequest(200, "") { $0.path = "/3/device/" + String(repeating: "0b", count: 32) }
        #expect(self.reply(to: other, authorization: authorization).status == 200)
    }
}
