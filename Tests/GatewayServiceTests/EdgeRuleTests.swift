import AsyncHTTPClient
import DeviceAPI
import Domain
import Foundation
import GatewayService
import Messaging
import NIOCore
import NIOHTTP1
import Proofs
import SwiftProtobuf
import Synchronization
import TestSupport
import Testing
import Wire

@Suite struct EdgeRuleTests {
    @Test("a sign-in is answered with its members in the documented order, a Location and a request id")
    func begin() async throws {
        try await GatewayHarness.run { gateway in
            gateway.policy()
            gateway.challenge { $0.on(BeginChallenge.self) { _, _ in .sample } }
            let answer = try await gateway.post("/v1/demo/sign-ins", #"{"username":"alice","context":{"anything":1}}"#)
            #expect(answer.status == 201)
            #expect(answer.headers.first(name: "Location") == "/v1/demo/sign-ins/c1")
            #expect(answer.headers.first(name: "X-Request-Id")?.count == 32)
            #expect(answer.headers.first(name: "Cache-Control") == "no-store")
            #expect(
                answer.body
                    == #"{"id":"c1","secret":"s1","status":"pending","number":"42","createdAt":"2023-11-14T22:13:20.000Z","#
                    + #""expiresAt":"2023-11-14T22:14:20.000Z","methods":["push","code"]}"#)
        }
    }

    @Test("members that do not apply are null, never missing")
    func nulls() async throws {
        try await GatewayHarness.run { gateway in
            gateway.policy()
            gateway.challenge { $0.on(AwaitOutcome.self) { _, _ in .sample("pending") } }
            let answer = try await gateway.send(
                .GET, "/v1/demo/sign-ins/c1", [GatewayHarness.application, ("Sign-In-Secret", "s1")])
            #expect(answer.status == 200)
            #expect(
                answer.body
                    == #"{"id":"c1","status":"pending","reason":null,"method":null,"expiresAt":"2023-11-14T22:14:20.000Z"}"#
            )
        }
    }

    @Test(
        "a request that breaks a rule gets the problem document of that rule",
        arguments: [
            (#"{"username":"alice","numbre":1}"#, 400, "unknown_member"), ("{", 400, "malformed"),
            ("[]", 400, "malformed"),
            (#"{"username":"a","username":"b"}"#, 400, "malformed"), (#"{"factor":"passwordless"}"#, 400, "malformed"),
            (#"{"username":"alice","factor":"three"}"#, 400, "malformed"),
            (#"{"username":""}"#, 422, "invalid_username"),
            (#"{"username":"a\u0007"}"#, 422, "invalid_username"),
            (#"{"username":"\#(String(repeating: "a", count: 257))"}"#, 422, "invalid_username"),
            (#"{"username":"alice","application":"Unknown"}"#, 422, "unknown_application"),
        ])
    func refusals(body: String, status: Int, code: String) async throws {
        try await GatewayHarness.run { gateway in
            gateway.policy()
            gateway.challenge { $0.on(BeginChallenge.self) { _, _ in .sample } }
            let answer = try await gateway.post("/v1/demo/sign-ins", body)
            #expect(answer.status == status)
            #expect(answer.problem?.code == code)
            #expect(answer.problem?.requestId == answer.headers.first(name: "X-Request-Id"))
            #expect(answer.headers.first(name: "Content-Type") == "application/problem+json")
        }
    }

    @Test("an unknown member is named with its path, also inside another member")
    func memberPath() async throws {
        try await GatewayHarness.run { gateway in
            let device = #"{"name":"n","platform":"cli","osVersion":"1","appVersion":"1","colour":"red"}"#
            let answer = try await gateway.post("/v1/demo/devices", #"{"ticket":"t","proof":"p","device":\#(device)}"#)
            #expect(answer.problem?.code == "unknown_member")
            #expect(answer.problem?.members["member"] == "device.colour")
        }
    }

    @Test("wrong credentials get 401 with WWW-Authenticate, and only good ones are remembered")
    func credentials() async throws {
        try await GatewayHarness.run { gateway in
            let asked = Mutex(0)
            gateway.policy()
            gateway.bus.inject(AuthenticateClient.self) { asked.withLock { $0 += 1 } }
            gateway.challenge { $0.on(BeginChallenge.self) { _, _ in .sample } }
            for authorization in ["Basic !!!", "Basic", "Bearer wrong", "Nonsense x", "DeviceProof a.b.c"] {
                let answer = try await gateway.post(
                    "/v1/demo/sign-ins", #"{"username":"a"}"#, [("Authorization", authorization)])
                #expect(answer.status == 401)
                #expect(answer.problem?.code == "not_authenticated")
                #expect(answer.headers.first(name: "WWW-Authenticate") != nil)
            }
            for _ in 0..<3 { #expect(try await gateway.post("/v1/demo/sign-ins", #"{"username":"a"}"#).status == 201) }
            #expect(asked.withLock { $0 } == 1)
            gateway.tenants.change(TenantID("demo")) { _, _ in }
            #expect(try await gateway.post("/v1/demo/sign-ins", #"{"username":"a"}"#).status == 201)
            #expect(asked.withLock { $0 } == 2, "a moved revision drops what was remembered")
        }
    }

    @Test("unknown paths get 404, known ones with another method 405 with Allow")
    func paths() async throws {
        try await GatewayHarness.run { gateway in
            for path in ["/nothing", "/v1", "/v1/", "/v1/UPPER/sign-ins", "/v1/demo/nothing"] {
                #expect(try await gateway.send(.GET, path).problem?.code == "not_found")
            }
            #expect(try await gateway.send(.GET, "/v1/demo/sign-ins/%00").problem?.code == "malformed")
            let answer = try await gateway.send(.PUT, "/v1/demo/sign-ins/c1")
            #expect(answer.status == 405)
            #expect(answer.headers.first(name: "Allow") == "DELETE, GET, HEAD")
        }
    }

    @Test("metrics are there for everybody, or for operators alone", arguments: [true, false])
    func metrics(areShown: Bool) async throws {
        try await GatewayHarness.run {
            $0.showsMetrics = areShown
        } _: { gateway in
            let answer = try await gateway.send(.GET, "/metrics")
            #expect(answer.status == (areShown ? 200 : 404))
            #expect(answer.body.contains("countersign_http_requests_in_flight") == areShown)
        }
    }

    @Test("a body of another type gets 415, one of more than 64 KiB 413")
    func bodies() async throws {
        try await GatewayHarness.run { gateway in
            gateway.policy()
            let form = try await gateway.send(
                .POST, "/v1/demo/sign-ins", [GatewayHarness.application, ("Content-Type", "text/plain")],
                body: Array("a=1".utf8))
            #expect(form.problem?.code == "unsupported_media_type")
            let huge = try await gateway.post(
                "/v1/demo/sign-ins", #"{"username":"\#(String(repeating: "x", count: 70_000))"}"#)
            #expect(huge.problem?.code == "too_large")
        }
    }

    @Test("wait is a whole number from 0 to 30", arguments: ["-1", "31", "x", "1.5", "99999999999999"])
    func waits(wait: String) async throws {
        try await GatewayHarness.run { gateway in
            gateway.policy()
            let answer = try await gateway.send(
                .GET, "/v1/demo/sign-ins/c1?wait=\(wait)", [GatewayHarness.application, ("Sign-In-Secret", "s")])
            #expect(answer.problem?.code == "malformed")
        }
    }

    @Test("the same Idempotency-Key is the same request to the services, another path or caller another one")
    func idempotency() async throws {
        try await GatewayHarness.run { gateway in
            let ids = Mutex<[Domain.RequestID]>([])
            gateway.policy()
            gateway.challenge {
                $0.on(BeginChallenge.self) { _, context in
                    ids.withLock { $0.append(context.call.requestID) }
                    return .sample
                }
            }
            let key = ("Idempotency-Key", "k1")
            for headers in [[key], [key], [("Idempotency-Key", "k2")], []] {
                _ = try await gateway.post(
                    "/v1/demo/sign-ins", #"{"username":"a"}"#, headers + [GatewayHarness.application])
            }
            let seen = ids.withLock { $0 }
            #expect(seen[0] == seen[1] && seen[0] != seen[2] && seen[0].isCallersKey && !seen[3].isCallersKey)
            let long = try await gateway.post(
                "/v1/demo/sign-ins", #"{"username":"a"}"#,
                [("Idempotency-Key", String(repeating: "k", count: 256)), GatewayHarness.application])
            #expect(long.problem?.code == "malformed")
        }
    }

    @Test("a service that is not there is 503 with Retry-After")
    func unavailable() async throws {
        try await GatewayHarness.run { gateway in
            gateway.policy()
            let answer = try await gateway.post("/v1/demo/sign-ins", #"{"username":"a"}"#)
            #expect(answer.status == 503)
            #expect(answer.headers.first(name: "Retry-After") == "1")
        }
    }

    @Test("a sign-in's events begin with the current status and end with the settled one")
    func events() async throws {
        try await GatewayHarness.run { gateway in
            let asked = Mutex(0)
            gateway.policy()
            gateway.challenge {
                $0.on(AwaitOutcome.self) { _, _ in
                    .sample(
                        asked.withLock {
                            $0 += 1
                            return $0
                        } == 1 ? "pending" : "approved")
                }
            }
            let answer = try await gateway.send(
                .GET, "/v1/demo/sign-ins/c1/events", [GatewayHarness.application, ("Sign-In-Secret", "s1")])
            #expect(answer.headers.first(name: "Content-Type") == "text/event-stream")
            let events = answer.body.components(separatedBy: "\n\n").filter { !$0.isEmpty }
            #expect(events.count == 2)
            #expect(events.allSatisfy { $0.hasPrefix("event: status\ndata: {") })
            #expect(events.last?.contains(#""status":"approved""#) == true)
        }
    }

    @Test("a device that lost its right while its stream was opened is not left listening", arguments: [false, true])
    func lostWhileOpening(_ isBlocked: Bool) async throws {
        try await GatewayHarness.run { gateway in
            gateway.add(.verifier) {
                $0.on(VerifyDeviceProof.self) { _, _ in
                    .with { ($0.deviceID, $0.personID, $0.state) = ("d1", "p1", "active") }
                }
            }
            gateway.add(.registration) {
                $0.on(ReadDevice.self) { _, _ in .with { ($0.found, $0.personBlocked) = (isBlocked, isBlocked) } }
            }
            gateway.challenge { $0.on(ListPending.self) { _, _ in .init() } }
            let answer = try await gateway.send(
                .GET, "/v1/demo/devices/d1/events", [("Authorization", "DeviceProof a.b.c")])
            #expect(answer.status == 200)
            #expect(!answer.body.contains("event: "))
        }
    }

    @Test("a client that goes away ends its wait at the service")
    func disconnect() async throws {
        try await GatewayHarness.run { gateway in
            let (started, begin) = AsyncStream<Void>.makeStream()
            let (cancelled, end) = AsyncStream<Void>.makeStream()
            gateway.policy()
            gateway.challenge {
                $0.on(AwaitOutcome.self) { _, _ in
                    let (never, hold) = AsyncStream<Void>.makeStream()
                    begin.yield()
                    await withTaskCancellationHandler {
                        for await _ in never {}
                    } onCancel: {
                        hold.finish()
                        end.yield()
                    }
                    throw CancellationError()
                }
            }
            let client = Task {
                try await gateway.send(
                    .GET, "/v1/demo/sign-ins/c1?wait=30", [GatewayHarness.application, ("Sign-In-Secret", "s1")])
            }
            _ = await started.first { _ in true }
            client.cancel()
            _ = await cancelled.first { _ in true }
        }
    }

    @Test("a session's cookie is HttpOnly and SameSite=Lax, and Secure with the __Host- prefix over TLS")
    func cookies() async throws {
        for (external, prefix, isSecure) in [("http://127.0.0.1", "", false), ("https://id.example", "__Host-", true)] {
            try await GatewayHarness.run {
                $0 = GatewayConfiguration(port: 0, externalURL: external)
            } _: { gateway in
                gateway.add(.registration) {
                    $0.on(StartSession.self) { _, _ in
                        .with {
                            ($0.sessionToken, $0.expiresAtMs, $0.person) = (
                                "token", 1_700_000_000_000, .with { $0.username = "alice" }
                            )
                        }
                    }
                }
                let answer = try await gateway.post("/v1/demo/session", #"{"username":"alice","password":"x"}"#, [])
                #expect(answer.status == 200)
                let cookie = answer.headers.first(name: "Set-Cookie") ?? ""
                #expect(cookie.hasPrefix("\(prefix)countersign-session-demo=token; Path=/; HttpOnly; SameSite=Lax"))
                #expect(cookie.contains("; Secure") == isSecure)
                #expect(!answer.body.contains("token"))
            }
        }
    }

    @Test(
        "another site cannot use a browser's cookies",
        arguments: [("Origin", "https://evil.example"), ("Sec-Fetch-Site", "cross-site")])
    func origins(header: (String, String)) async throws {
        try await GatewayHarness.run { gateway in
            let answer = try await gateway.post("/v1/demo/session", #"{"username":"alice"}"#, [header])
            #expect(answer.status == 403)
            #expect(answer.problem?.code == "refused")
        }
    }

    @Test("a sign-in log's page is asked with the caller's cursor and limit, and a limit over 1000 is refused")
    func pages() async throws {
        try await GatewayHarness.run { gateway in
            gateway.policy()
            gateway.challenge {
                $0.on(ListSignIns.self) { request, _ in
                    #expect(request.page.cursor == "c" && request.page.limit == 7)
                    return .with { $0.next = "d" }
                }
            }
            let answer = try await gateway.send(
                .GET, "/v1/demo/admin/sign-ins?cursor=c&limit=7", [GatewayHarness.administrator])
            #expect(answer.body == #"{"items":[],"next":"d"}"#)
            #expect(
                try await gateway.send(.GET, "/v1/demo/admin/users?limit=1001", [GatewayHarness.administrator]).problem?
                    .code == "malformed")
        }
    }

    @Test("a thousand seeded malformed inputs get problem documents with 4xx, and the gateway goes on")
    func malformed() async throws {
        try await GatewayHarness.run { gateway in
            gateway.policy()
            gateway.challenge { $0.on(BeginChallenge.self) { _, _ in .sample } }
            var generator = SeededGenerator(seed: 7)
            let sample = Array(#"{"username":"alice","context":{"ipAddress":"203.0.113.7"}}"#.utf8)
            let paths = ["/v1/demo/sign-ins", "/v1/demo/devices", "/v1/demo/challenges/c/answer", "/v1/demo/session"]
            for count in 0..<1000 {
                var body = sample
                switch count % 4 {
                case 0: body = Array(body.prefix(Int.random(in: 0..<body.count, using: &generator)))
                case 1:
                    body = (0..<Int.random(in: 1...200, using: &generator)).map { _ in
                        UInt8.random(in: 0...255, using: &generator)
                    }
                case 2: body = [UInt8](repeating: 0x5B, count: Int.random(in: 1...5000, using: &generator))
                default: body.insert(0xFF, at: Int.random(in: 0..<body.count, using: &generator))
                }
                let headers = [GatewayHarness.application, GatewayHarness.json]
                let answer = try await gateway.send(.POST, paths[count / 4 % 4], headers, body: body)
                #expect((400..<500).contains(answer.status), "\(answer.status) for \(body)")
                #expect(answer.problem?.code.isEmpty == false)
            }
            #expect(try await gateway.post("/v1/demo/sign-ins", #"{"username":"alice"}"#).status == 201)
        }
    }
}
