import DeviceAPI
import Domain
import Foundation
import Testing

@Suite("Bodies that the gateway answers with")
struct ReplyBodyTests {
    private func check<Body: APIReply>(_ body: Body, _ members: [String], nulls: Set<String> = []) throws {
        let data = try JSONEncoder().encode(body)
        #expect(try JSONDecoder().decode(Body.self, from: data) == body)
        let written = try Samples.members(body)
        #expect(written.keys.sorted() == members.sorted())
        #expect(Set(written.filter { $0.value is NSNull }.keys) == nulls)
        // A missing member and a null one are the same to a reader.
        let bare = try JSONSerialization.data(withJSONObject: written.filter { !($0.value is NSNull) })
        #expect(try JSONDecoder().decode(Body.self, from: bare) == body)
    }

    @Test("a sign-in has the members of the contract, whatever its state")
    func signIn() throws {
        try check(
            DeviceAPI.SignInReply(
                id: "c1", secret: "s1", status: .pending, number: "42", createdAt: Samples.time,
                expiresAt: Samples.time, methods: [.push, .code]),
            ["id", "secret", "status", "number", "createdAt", "expiresAt", "methods"])
        try check(
            SignInStatus(id: "c1", status: .denied, reason: "wrong_number", expiresAt: Samples.time),
            ["id", "status", "reason", "method", "expiresAt"], nulls: ["method"])
        try check(
            SignInStatus(id: "c1", status: .pending, expiresAt: Samples.time),
            ["id", "status", "reason", "method", "expiresAt"], nulls: ["reason", "method"])
    }

    @Test("a redemption has its receipt, or nulls in its place")
    func redemption() throws {
        let user = RedeemedUser(id: "p1", username: "alice", displayName: "Alice")
        let members = [
            "user", "method", "amr", "acr", "authTime", "receipt", "receiptContent", "receiptKey",
        ]
        try check(
            DeviceAPI.RedeemReply(user: user, method: .code, amr: ["otp"], acr: "a", authTime: Samples.time), members,
            nulls: ["receipt", "receiptContent", "receiptKey"])
        try check(
            DeviceAPI.RedeemReply(
                user: user, method: .push, amr: ["swk", "user"], acr: "a", authTime: Samples.time, receipt: "a.b.c",
                receiptContent: "e30", receiptKey: PublicKeyDocument(kty: "EC", crv: "P-256", x: "x", y: "y")),
            members)
    }

    @Test("what a phone is sent has the members of the contract")
    func phone() throws {
        try check(
            PendingRequest(id: "c1", purpose: .signIn, content: "e30", expiresAt: Samples.time),
            ["id", "purpose", "content", "expiresAt"])
        try check(SettledEvent(id: "c1", status: .canceled), ["id", "status"])
        try check(AnswerReply(status: .approved), ["status", "reason"], nulls: ["reason"])
        try check(AnswerReply(status: .pending, reason: .wrongNumber), ["status", "reason"])
        try check(PhoneSignInStarted(challengeId: "c1", number: "42"), ["challengeId", "number"])
        try check(
            PhoneSignInState(enabled: false), ["enabled", "createdDateTime", "refusal", "needsCredential"],
            nulls: ["createdDateTime", "refusal", "needsCredential"])
        try check(
            PushState(transport: .none), ["transport", "applicationServerKey"], nulls: ["applicationServerKey"])
        try check(
            PushCheck(transport: .fcm, outcome: "timeout", latencyMilliseconds: 4000),
            ["transport", "outcome", "status", "reason", "latencyMilliseconds"], nulls: ["status", "reason"])
        try check(
            OfflineCodeSecret(secret: "BASE32", algorithm: .sha1, digits: 6, period: 30, uri: "otpauth://totp/x"),
            ["secret", "algorithm", "digits", "period", "uri"])
    }

    @Test("an activation's progress has its number and its device only where they apply")
    func activation() throws {
        let members = ["state", "number", "deviceId", "expiresAt"]
        try check(ActivationProgress(state: .waiting, expiresAt: Samples.time), members, nulls: ["number", "deviceId"])
        try check(
            ActivationProgress(state: .confirming, number: "57", deviceId: "d1", expiresAt: Samples.time), members)
    }

    @Test("what the phone shows is read from the very bytes that Domain writes, and has no number")
    func content() throws {
        let content = ChallengeContent(
            id: ChallengeID("c1"), tenant: TenantID("demo"), user: #"al"ice\ü"#,
            origin: .init(application: "Pay\u{7}roll", userAgent: "B"), issuedAt: Samples.time,
            expiresAt: Samples.time, numberDigits: 2)
        let read = try JSONDecoder().decode(RequestContent.self, from: Data(content.json))
        #expect(read.user == #"al"ice\ü"# && read.application == "Pay\u{7}roll" && read.location == nil)
        #expect(read.issuedAt == Samples.time && read.numberDigits == 2)
        #expect(!RequestContent.CodingKeys.allCases.map(\.rawValue).contains("number"))
    }

    @Test("words of the contract are what the contract says")
    func words() throws {
        #expect(
            ChallengeStatus.allCases.map(\.rawValue) == [
                "pending", "approved", "denied", "expired", "canceled", "redeemed",
            ])
        #expect(DenialReason.allCases.map(\.rawValue) == ["declined", "reported", "wrong_number"])
        #expect(Purpose.allCases.map(\.rawValue) == ["signIn", "secondFactor", "registration", "phoneSignInSetup"])
        #expect(Factor.allCases.map(\.rawValue) == ["passwordless", "secondFactor"])
        #expect(Platform.allCases.map(\.rawValue) == ["ios", "android", "web", "cli"])
        #expect(PushTransport.allCases.map(\.rawValue) == ["apns", "fcm", "webpush", "none"])
        #expect(ActivationState.allCases.map(\.rawValue) == ["waiting", "confirming", "active", "expired"])
    }

    @Test("times are RFC 3339 in UTC with milliseconds; other spellings of the same moment are read too")
    func times() throws {
        let state = PhoneSignInState(enabled: true, createdDateTime: Samples.time)
        #expect(try Samples.members(state)["createdDateTime"] as? String == "2023-11-14T22:13:20.123Z")
        for text in ["2023-11-14T22:13:20.123456Z", "2023-11-14t23:13:20.123+01:00"] {
            let body = #"{"enabled":true,"createdDateTime":"\#(text)"}"#
            #expect(try JSONDecoder().decode(PhoneSignInState.self, from: Data(body.utf8)) == state)
        }
        for text in ["2023-11-14", "2023-02-30T00:00:00Z", "2023-11-14T24:00:00Z", "1700000000", ""] {
            let body = Data(#"{"enabled":true,"createdDateTime":"\#(text)"}"#.utf8)
            #expect(throws: DecodingError.self) { try JSONDecoder().decode(PhoneSignInState.self, from: body) }
        }
    }

    @Test("a problem has the members of RFC 9457 and ours, and those of its code beside them")
    func problem() throws {
        let problem = ProblemDocument(
            code: "update_required", title: "Forbidden", status: 403, detail: "too old", requestId: "r1",
            members: ["minimum": "8.0", "status": "ignored"])
        let written = try Samples.members(problem)
        #expect(
            Set(written.keys) == ["type", "title", "status", "detail", "code", "requestId", "minimum"])
        #expect(written["status"] as? Int == 403 && written["minimum"] as? String == "8.0")
        let read = try JSONDecoder().decode(ProblemDocument.self, from: JSONEncoder().encode(problem))
        #expect(read.members == ["minimum": "8.0"] && read.code == "update_required")
        let foreign = try JSONDecoder().decode(ProblemDocument.self, from: Data(#"{"title":"Bad","list":[1]}"#.utf8))
        #expect(foreign.title == "Bad" && foreign.status == 0 && foreign.code.isEmpty && foreign.type == "about:blank")
    }

    @Test("a page has a null where there is no next one")
    func page() throws {
        let last = Page(items: [SettledEvent(id: "c1", status: .denied)])
        try check(last, ["items", "next"], nulls: ["next"])
        try check(Page(items: [SettledEvent](), next: "cursor"), ["items", "next"])
    }

    @Test("whether a pass is out is told with its facts, or nulls, and never with the pass")
    func pass() throws {
        let members = ["outstanding", "id", "issuedAt", "expiresAt", "usableOnce"]
        try check(
            PassState(
                outstanding: true, id: "t1", issuedAt: Samples.time, expiresAt: Samples.time, usableOnce: false),
            members)
        try check(PassState(outstanding: false), members, nulls: Set(members.dropFirst()))
    }

    @Test("an audit entry carries any document as it is")
    func audit() throws {
        let before = JSONValue.object(["a": .array([.integer(1), .number(1.5), .bool(true), .null, .string("x")])])
        let entry = AuditDocument(
            id: "1", at: Samples.time, actor: AuditActor(kind: "person", id: "p1", name: "Alice"),
            action: "policy.change", target: "policy", before: before)
        try check(
            entry, ["id", "at", "actor", "action", "target", "before", "after", "requestId", "targets"],
            nulls: ["after", "requestId", "targets"])
        try check(AuditTarget(targetType: .group, id: "g1"), ["targetType", "id", "name"], nulls: ["name"])
    }

    @Test("what an import did has a word and parameters for each fault")
    func importReport() throws {
        let problem = ImportProblemLine(
            line: 2, code: "invalid_value", detail: "no", reason: "password_too_short", parameters: ["min": "8"])
        try check(problem, ["line", "code", "detail", "reason", "parameters"])
        try check(
            ImportReport(created: 1, updated: 0, unchanged: 3, problemCount: 1, problems: [problem]),
            ["created", "updated", "unchanged", "problemCount", "problems"])
    }

    @Test("a sign-in without a phone has the place that it came from, or nulls")
    func passwordSignIn() throws {
        try check(
            OwnPasswordSignIn(id: "registration-1", at: Samples.time, method: .password, reported: false),
            ["id", "at", "method", "ipAddress", "userAgent", "reported"], nulls: ["ipAddress", "userAgent"])
    }
}
