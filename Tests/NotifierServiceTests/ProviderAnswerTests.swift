import Domain
import Testing

@testable import NotifierService

/// One row of a provider's table.
struct AnswerRow: CustomTestStringConvertible, Sendable {
    let status: Int
    let reason: String?
    let retryAfter: String?
    let expected: ProviderVerdict

    init(_ status: Int, _ reason: String? = nil, retryAfter: String? = nil, means expected: ProviderVerdict) {
        self.status = status
        self.reason = reason
        self.retryAfter = retryAfter
        self.expected = expected
    }

    var testDescription: String { "\(status) \(reason ?? "") \(retryAfter ?? "")" }

    func answer(_ body: (String) -> String) -> ProviderAnswer {
        ProviderAnswer(status: status, retryAfter: retryAfter, body: Array((reason.map(body) ?? "").utf8))
    }
}

@Suite("What providers answer")
struct ProviderAnswerTests {
    private static let now = Timestamp(seconds: 784_111_777)

    static let apnsRows: [AnswerRow] =
        [AnswerRow(200, means: .ends(.delivered))]
        + [
            "BadCollapseId", "BadExpirationDate", "BadMessageId", "BadPriority", "BadTopic", "DuplicateHeaders",
            "InvalidPushType", "MissingDeviceToken", "MissingTopic", "PayloadEmpty", "TopicDisallowed",
        ].map { AnswerRow(400, $0, means: .ends(.configuration)) }
        + [
            AnswerRow(400, "IdleTimeout", means: .reconnect),
            AnswerRow(400, "BadDeviceToken", means: .ends(.foreignAddress)),
            AnswerRow(400, "DeviceTokenNotForTopic", means: .ends(.foreignAddress)),
            AnswerRow(403, "ExpiredProviderToken", means: .renewToken),
        ]
        + [
            "BadCertificate", "BadCertificateEnvironment", "Forbidden", "InvalidProviderToken", "MissingProviderToken",
            "UnrelatedKeyIdInToken", "BadEnvironmentKeyIdInToken",
        ].map { AnswerRow(403, $0, means: .ends(.configuration)) }
        + [
            AnswerRow(404, "BadPath", means: .ends(.configuration)),
            AnswerRow(405, "MethodNotAllowed", means: .ends(.configuration)),
            AnswerRow(410, "Unregistered", means: .ends(.expiredAddress)),
            AnswerRow(410, "ExpiredToken", means: .ends(.expiredAddress)),
            AnswerRow(413, "PayloadTooLarge", means: .ends(.tooLarge)),
            AnswerRow(429, "TooManyProviderTokenUpdates", means: .ends(.retry(after: .seconds(60)))),
            AnswerRow(
                429, "TooManyProviderTokenUpdates", retryAfter: "1200",
                means: .ends(.retry(after: .seconds(1200), holdsBack: true))),
            AnswerRow(429, "TooManyRequests", means: .ends(.throttled(after: .seconds(10)))),
            AnswerRow(429, "TooManyRequests", retryAfter: "3", means: .ends(.throttled(after: .seconds(3)))),
            AnswerRow(429, "TooManyRequests", retryAfter: "0", means: .ends(.throttled(after: .seconds(1)))),
            AnswerRow(500, "InternalServerError", means: .ends(.retry(after: .seconds(1)))),
            AnswerRow(503, "ServiceUnavailable", means: .reconnect),
            AnswerRow(503, "Shutdown", means: .reconnect),
            AnswerRow(503, "Shutdown", retryAfter: "7", means: .ends(.retry(after: .seconds(7), holdsBack: true))),
            AnswerRow(
                503, "ServiceUnavailable", retryAfter: "900",
                means: .ends(.retry(after: .seconds(900), holdsBack: true))),
            AnswerRow(
                500, "InternalServerError", retryAfter: "5", means: .ends(.retry(after: .seconds(5), holdsBack: true))),
            AnswerRow(500, "InternalServerError", retryAfter: "0", means: .ends(.retry(after: .seconds(1)))),
            // What no table knows.
            AnswerRow(400, "SomethingNew", means: .ends(.configuration)),
            AnswerRow(404, means: .ends(.configuration)),
            AnswerRow(502, means: .ends(.retry(after: .seconds(1)))),
        ]

    @Test("each answer of APNs has its meaning", arguments: apnsRows)
    func apns(row: AnswerRow) {
        let answer = row.answer { #"{"reason":"\#($0)","timestamp":1700000000000}"# }
        #expect(APNsAnswer.verdict(answer, now: Self.now) == row.expected)
    }

    static let fcmRows: [AnswerRow] = [
        AnswerRow(200, means: .ends(.delivered)),
        AnswerRow(400, "INVALID_ARGUMENT", means: .ends(.configuration)),
        AnswerRow(401, "THIRD_PARTY_AUTH_ERROR", means: .ends(.configuration)),
        AnswerRow(403, "SENDER_ID_MISMATCH", means: .ends(.foreignAddress)),
        AnswerRow(404, "UNREGISTERED", means: .ends(.expiredAddress)),
        AnswerRow(429, "QUOTA_EXCEEDED", means: .ends(.retry(after: .seconds(60)))),
        AnswerRow(429, "QUOTA_EXCEEDED", retryAfter: "17", means: .ends(.retry(after: .seconds(17)))),
        AnswerRow(429, "QUOTA_EXCEEDED", retryAfter: "0", means: .ends(.retry(after: .seconds(1)))),
        AnswerRow(500, "INTERNAL", means: .ends(.retry(after: .seconds(1)))),
        AnswerRow(503, "UNAVAILABLE", means: .ends(.retry(after: .seconds(1)))),
        AnswerRow(503, "UNAVAILABLE", retryAfter: "0", means: .ends(.retry(after: .seconds(1)))),
        AnswerRow(503, "UNAVAILABLE", retryAfter: "9", means: .ends(.retry(after: .seconds(9), holdsBack: true))),
        AnswerRow(500, "INTERNAL", retryAfter: "9", means: .ends(.retry(after: .seconds(9), holdsBack: true))),
        // What no table knows: a project that is not there is no phone that is not there.
        AnswerRow(401, means: .renewToken),
        AnswerRow(403, means: .ends(.configuration)),
        AnswerRow(404, means: .ends(.configuration)),
    ]

    @Test("each answer of FCM has its meaning", arguments: fcmRows)
    func fcm(row: AnswerRow) {
        let answer = row.answer {
            #"{"error":{"code":1,"details":[{"@type":"type.googleapis.com/google.rpc.BadRequest"},"#
                + #"{"@type":"type.googleapis.com/google.firebase.fcm.v1.FcmError","errorCode":"\#($0)"}]}}"#
        }
        #expect(FCMAnswer.verdict(answer, now: Self.now) == row.expected)
    }

    @Test(
        "an argument that FCM calls invalid is the address where it names the token, and our error where it does not",
        arguments: [
            (#"[{"field":"message.token","description":"Invalid registration token"}]"#, PushOutcome.expiredAddress),
            (#"[{"field":"message.android.ttl"},{"field":"message.token"}]"#, .expiredAddress),
            (#"[{"field":"message.android.ttl"}]"#, .configuration),
            (#"[{"description":"message.token"}]"#, .configuration), ("[]", .configuration),
        ])
    func invalidArgument(violations: String, expected: PushOutcome) {
        func verdict(_ type: String) -> ProviderVerdict {
            let details =
                #"{"@type":"type.googleapis.com/google.rpc.\#(type)","fieldViolations":\#(violations)},"#
                + #"{"@type":"type.googleapis.com/google.firebase.fcm.v1.FcmError","errorCode":"INVALID_ARGUMENT"}"#
            let body = Array(#"{"error":{"code":400,"details":[\#(details)]}}"#.utf8)
            return FCMAnswer.verdict(ProviderAnswer(status: 400, retryAfter: nil, body: body), now: Self.now)
        }
        #expect(verdict("BadRequest") == .ends(expected))
        #expect(verdict("Other") == .ends(.configuration))
    }

    @Test(
        "whose quota is used up is in Google's details: the project's holds back everything, a device's that device alone",
        arguments: [
            (
                #"{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"RATE_LIMIT_EXCEEDED","#
                    + #""metadata":{"consumer":"projects/1","quota_limit":"SendsPerMinutePerProject"}}"#,
                PushOutcome.retry(after: .seconds(60), holdsBack: true),
                PushOutcome.retry(after: .seconds(17), holdsBack: true)
            ),
            (
                quota(#"{"subject":"project:1","description":"Message rate exceeded"}"#),
                .retry(after: .seconds(60), holdsBack: true), .retry(after: .seconds(17), holdsBack: true)
            ),
            (
                quota(#"{"quotaId":"SendsPerMinutePerProject"}"#), .retry(after: .seconds(60), holdsBack: true),
                .retry(after: .seconds(17), holdsBack: true)
            ),
            (
                quota(#"{"subject":"token:a","description":"Device message rate exceeded"}"#),
                .throttled(after: .seconds(10)), .throttled(after: .seconds(17))
            ),
            (
                quota(#"{"subject":"token:a"},{"subject":"projects/1"}"#), .retry(after: .seconds(60), holdsBack: true),
                .retry(after: .seconds(17), holdsBack: true)
            ),
            // Nobody is named.
            (quota(#"{"subject":""}"#), .retry(after: .seconds(60)), .retry(after: .seconds(17))),
            (quota(""), .retry(after: .seconds(60)), .retry(after: .seconds(17))),
            (
                #"{"@type":"strange","violations":[{"subject":"token:a"}]}"#, .retry(after: .seconds(60)),
                .retry(after: .seconds(17))
            ),
        ])
    func quotas(detail: String, expected: PushOutcome, withRetryAfter: PushOutcome) {
        let body = Array(#"{"error":{"code":429,"status":"RESOURCE_EXHAUSTED","details":[\#(detail)]}}"#.utf8)
        for (retryAfter, outcome) in [(nil, expected), ("17", withRetryAfter)] {
            let answer = ProviderAnswer(status: 429, retryAfter: retryAfter, body: body)
            #expect(FCMAnswer.verdict(answer, now: Self.now) == .ends(outcome))
        }
    }

    private static func quota(_ violations: String) -> String {
        #"{"@type":"type.googleapis.com/google.firebase.fcm.v1.FcmError","errorCode":"QUOTA_EXCEEDED"},"#
            + #"{"@type":"type.googleapis.com/google.rpc.QuotaFailure","violations":[\#(violations)]}"#
    }

    @Test(
        "an address that APNs gave up before the phone registered it again is not dropped",
        arguments: [
            (registeredAt: Int64?.none, body: #","timestamp":1700000000000"#, means: PushOutcome.expiredAddress),
            (1_700_000_000_001, #","timestamp":1700000000000"#, .reregisteredAddress),
            (1_700_000_000_000, #","timestamp":1700000000000"#, .expiredAddress),
            (1_699_999_999_999, #","timestamp":1700000000000"#, .expiredAddress),
            (1_700_000_000_001, "", .expiredAddress),
        ])
    func reregistered(registeredAt: Int64?, body: String, means outcome: PushOutcome) {
        for reason in ["Unregistered", "ExpiredToken"] {
            let answer = ProviderAnswer(
                status: 410, retryAfter: nil, body: Array(#"{"reason":"\#(reason)"\#(body)}"#.utf8))
            let time = registeredAt.map(Timestamp.init(milliseconds:))
            #expect(APNsAnswer.verdict(answer, now: Self.now, registeredAt: time) == .ends(outcome))
        }
    }

    @Test("less than a second is nobody's pause, of a device or of all, be it that a date is nearly over")
    func leastPause() {
        // 300 milliseconds before it.
        let now = Timestamp(milliseconds: Self.now.milliseconds - 300)
        let date = "Sun, 06 Nov 1994 08:49:37 GMT"
        func answer(_ status: Int, _ retryAfter: String, _ body: String = "") -> ProviderAnswer {
            ProviderAnswer(status: status, retryAfter: retryAfter, body: Array(body.utf8))
        }
        #expect(answer(503, date).retryAfter(now: now) == .milliseconds(300))
        let all = ProviderVerdict.ends(.retry(after: .seconds(1), holdsBack: true))
        #expect(APNsAnswer.verdict(answer(503, date, #"{"reason":"Shutdown"}"#), now: now) == all)
        #expect(FCMAnswer.verdict(answer(503, date), now: now) == all)
        #expect(WebPushAnswer.verdict(answer(500, date), now: now) == all)
        for retryAfter in ["0", date] {
            let project = #"{"error":{"details":[\#(Self.quota(#"{"subject":"project:1"}"#))]}}"#
            #expect(FCMAnswer.verdict(answer(429, retryAfter, project), now: now) == all)
            let device = #"{"error":{"details":[\#(Self.quota(#"{"subject":"token:a"}"#))]}}"#
            #expect(
                FCMAnswer.verdict(answer(429, retryAfter, device), now: now) == .ends(.throttled(after: .seconds(1))))
        }
    }

    @Test("no access token is a wrong account, or a busy server")
    func tokenRefusal() {
        func outcome(_ status: Int, retryAfter: String? = nil) -> PushOutcome {
            FCMAnswer.tokenRefusal(
                ProviderAnswer(status: status, retryAfter: retryAfter, body: []), now: Self.now
            ).outcome
        }
        for status in [429, 503] {
            #expect(outcome(status, retryAfter: "5") == .retry(after: .seconds(5), holdsBack: true))
        }
        #expect(outcome(400) == .configuration)
        #expect(outcome(401) == .configuration)
        #expect(outcome(429) == .retry(after: .seconds(60)))
        #expect(outcome(503) == .retry(after: .seconds(1)))
    }

    @Test("an administrator reads the provider's own word, and no more than a word")
    func reasons() {
        func answer(_ body: String) -> ProviderAnswer {
            ProviderAnswer(status: 400, retryAfter: nil, body: Array(body.utf8))
        }
        #expect(APNsAnswer.reason(answer(#"{"reason":"BadDeviceToken"}"#)) == "BadDeviceToken")
        #expect(APNsAnswer.reason(answer("nonsense")) == nil)
        #expect(WebPushAnswer.reason(answer(#"{"errno":106}"#)) == "errno_106")
        let invalid = FCMAnswer.tokenRefusal(answer(#"{"error":"invalid_grant"}"#), now: Self.now)
        #expect(invalid == PushReport(.configuration, status: 400, reason: "invalid_grant", refusesAccount: true))
        #expect(ProviderAnswer.reason("UNREGISTERED") == "UNREGISTERED")
        let strange = ["", "two words", "a\u{1B}[31m", "é", String(repeating: "a", count: 65)]
        for word in strange { #expect(ProviderAnswer.reason(word) == nil) }
    }

    static let webPushRows: [AnswerRow] =
        [200, 201, 202, 204].map { AnswerRow($0, means: .ends(.delivered)) }
        + [
            AnswerRow(307, means: .ends(.configuration)),
            AnswerRow(400, means: .ends(.configuration)),
            AnswerRow(401, "109", means: .ends(.configuration)),
            AnswerRow(403, means: .ends(.foreignAddress)),
            AnswerRow(404, "102", means: .ends(.expiredAddress)),
            AnswerRow(410, "103", means: .ends(.expiredAddress)),
            AnswerRow(410, "105", means: .ends(.expiredAddress)),
            AnswerRow(410, "106", means: .ends(.expiredAddress)),
            AnswerRow(413, "104", means: .ends(.tooLarge)),
            AnswerRow(429, means: .ends(.throttled(after: .seconds(60)))),
            AnswerRow(429, retryAfter: "5", means: .ends(.throttled(after: .seconds(5)))),
            AnswerRow(429, retryAfter: "0", means: .ends(.throttled(after: .seconds(1)))),
            AnswerRow(507, retryAfter: "0", means: .ends(.throttled(after: .seconds(1)))),
            AnswerRow(507, means: .ends(.throttled(after: .seconds(10)))),
            AnswerRow(507, retryAfter: "5", means: .ends(.throttled(after: .seconds(5)))),
            AnswerRow(500, means: .ends(.retry(after: .seconds(1)))),
            AnswerRow(503, "201", means: .ends(.retry(after: .seconds(1)))),
            AnswerRow(503, "201", retryAfter: "9", means: .ends(.retry(after: .seconds(9), holdsBack: true))),
            AnswerRow(503, "202", means: .reconnect),
        ]

    @Test("each answer of a push service has its meaning", arguments: webPushRows)
    func webPush(row: AnswerRow) {
        let answer = row.answer { #"{"code":1,"errno":\#($0)}"# }
        #expect(WebPushAnswer.verdict(answer, now: Self.now) == row.expected)
    }

    @Test(
        "Retry-After is seconds or a date, and never long, negative or nonsense",
        arguments: [
            ("120", Duration.seconds(120)), ("Sun, 06 Nov 1994 08:49:47 GMT", .seconds(10)),
            ("Sun, 06 Nov 1994 08:49:07 GMT", .zero), ("-5", .zero), ("999999999999", .seconds(3600)),
            ("Sun, 06 Nov 2094 08:49:07 GMT", .seconds(3600)), ("soon", nil), ("", nil),
            ("Sunday, 06-Nov-94 08:49:37 GMT", nil),
        ])
    func retryAfter(text: String, expected: Duration?) {
        let answer = ProviderAnswer(status: 503, retryAfter: text, body: [])
        #expect(answer.retryAfter(now: Self.now) == expected)
    }
}
