import DeviceAPI
import Domain
import GatewayService
import Messaging
import NIOHTTP1
import Secrets
import SwiftProtobuf
import Synchronization
import TestSupport
import Testing
import Wire

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

@Suite struct SessionTests {
    /// What the services were asked.
    private final class Asked: Sendable {
        let starts = Mutex<[Domain.RequestID]>([])
        let begins = Mutex<[(id: Domain.RequestID, browser: [UInt8], from: Wire.RequestContext)]>([])

        func install(in gateway: GatewayHarness) {
            gateway.add(.registration) {
                $0.on(StartSession.self) { [self] request, context in
                    starts.withLock { $0.append(context.call.requestID) }
                    return .with { $0.needsSecondFactor = request.password == Data("phone".utf8) }
                }
            }
            gateway.challenge {
                $0.on(BeginChallenge.self) { [self] request, context in
                    begins.withLock {
                        $0.append((context.call.requestID, Array(request.owner.browserDigest), request.context))
                    }
                    return .sample
                }
            }
        }
    }

    private static let key = ("Idempotency-Key", "k1")

    private static func cookie(_ answer: GatewayHarness.Answer) -> String {
        String((answer.headers.first(name: "Set-Cookie") ?? "").prefix { $0 != ";" })
    }

    @Test("the same Idempotency-Key is one request for one user name, however it is written, and another for another")
    func scope() async throws {
        try await GatewayHarness.run { gateway in
            let asked = Asked()
            asked.install(in: gateway)
            for name in ["alice", "Alice", "bob"] {
                _ = try await gateway.post(
                    "/v1/demo/session", #"{"username":"\#(name)","password":"x"}"#, [Self.key])
            }
            let ids = asked.starts.withLock { $0 }
            #expect(ids[0] == ids[1] && ids[0] != ids[2])
        }
    }

    @Test(
        "a repeat in the same browser is the same request on the phone, in another browser another one",
        arguments: [#"{"username":"alice"}"#, #"{"username":"alice","password":"phone"}"#])
    func repeats(body: String) async throws {
        try await GatewayHarness.run { gateway in
            let asked = Asked()
            asked.install(in: gateway)
            let first = try await gateway.post("/v1/demo/session", body, [Self.key])
            #expect(first.status == 202)
            let cookie = ("Cookie", Self.cookie(first))
            _ = try await gateway.post("/v1/demo/session", body, [Self.key, cookie])
            _ = try await gateway.post("/v1/demo/session", body, [Self.key])
            _ = try await gateway.post("/v1/demo/session", body, [cookie])
            let begins = asked.begins.withLock { $0 }
            #expect(begins[0].id == begins[1].id && begins[0].browser == begins[1].browser)
            #expect(begins[2].id != begins[0].id && begins[2].browser != begins[0].browser)
            #expect(begins[3].id != begins[0].id && begins[3].browser == begins[0].browser)
            #expect(begins[0].id.isCallersKey && !begins[3].id.isCallersKey)
        }
    }

    @Test("the phone is told where the browser is that signs in, and which one it is")
    func origin() async throws {
        try await GatewayHarness.run { gateway in
            let asked = Asked()
            asked.install(in: gateway)
            let name = ("User-Agent", "Firefox " + String(repeating: "x", count: 600))
            _ = try await gateway.post("/v1/demo/session", #"{"username":"alice"}"#, [name])
            let from = try #require(asked.begins.withLock { $0.first?.from })
            #expect(from.ipAddress == "127.0.0.1")
            #expect(from.userAgent.hasPrefix("Firefox xx") && from.userAgent.utf8.count == 512)
        }
    }

    @Test("a browser keeps the mark that it has, so that an older request can still be completed")
    func mark() async throws {
        try await GatewayHarness.run { gateway in
            Asked().install(in: gateway)
            let first = try await gateway.post("/v1/demo/session", #"{"username":"alice"}"#, [])
            let again = try await gateway.post(
                "/v1/demo/session", #"{"username":"alice"}"#, [("Cookie", Self.cookie(first))])
            #expect(Self.cookie(first).hasPrefix("countersign-sign-in-demo="))
            #expect(Self.cookie(again) == Self.cookie(first))
        }
    }

    @Test(
        "a mark that this gateway cannot have made is replaced",
        arguments: [
            "guessed", String(repeating: "A", count: 42), String(repeating: "A", count: 44),
            "\(String(repeating: "A", count: 42))B",
        ])
    func foreignMark(value: String) async throws {
        try await GatewayHarness.run { gateway in
            let asked = Asked()
            asked.install(in: gateway)
            let answer = try await gateway.post(
                "/v1/demo/session", #"{"username":"alice"}"#, [("Cookie", "countersign-sign-in-demo=\(value)")])
            #expect(Self.cookie(answer) != "countersign-sign-in-demo=\(value)")
            #expect(asked.begins.withLock { $0.map(\.browser) } != [sha256(Array(value.utf8))])
        }
    }
}
