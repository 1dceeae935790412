import DeviceAPI
import Domain
import GatewayService
import Messaging
import NIOHTTP1
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

/// Text that an application sends and a person will read.
@Suite struct RequestTextTests {
    private static func context(_ ipAddress: String, _ userAgent: String) async throws -> (String, String) {
        let seen = Mutex(("", ""))
        let body = try JSONEncoder().encode(
            SignInRequest(username: "alice", context: SignInContext(ipAddress: ipAddress, userAgent: userAgent)))
        try await GatewayHarness.run { gateway in
            gateway.policy()
            gateway.challenge {
                $0.on(BeginChallenge.self) { request, _ in
                    seen.withLock { $0 = (request.context.ipAddress, request.context.userAgent) }
                    return .sample
                }
            }
            let answer = try await gateway.post("/v1/demo/sign-ins", String(decoding: body, as: UTF8.self))
            #expect(answer.status == 201)
        }
        return seen.withLock { $0 }
    }

    @Test("a context's address and browser are cut at whole characters, without an error")
    func cuts() async throws {
        let (address, agent) = try await Self.context(
            String(repeating: "1", count: 63) + "é", String(repeating: "é", count: 300))
        #expect(address == String(repeating: "1", count: 63))
        #expect(agent == String(repeating: "é", count: 256))
        let short = try await Self.context("203.0.113.7", "Browser/1.0 (X11; é)")
        #expect(short == ("203.0.113.7", "Browser/1.0 (X11; é)"))
    }

    @Test("characters that are not seen but change how others look never reach the phone")
    func unseen() async throws {
        let (address, agent) = try await Self.context(
            "203.0.113.7\u{1}\n", "Fire\u{202E}xof\u{2066}\u{200B}\u{FEFF} \u{7F}\u{85}\u{2028}ok\t")
        #expect(address == "203.0.113.7")
        #expect(agent == "Firexof ok")
    }

    @Test(
        "an application may send each name that its registration could have, and no other",
        arguments: [
            (String(repeating: "क्षि", count: 40), true), (String(repeating: "a", count: 64), true),
            (String(repeating: "a", count: 65), false), ("Pay\u{200B}roll", false), ("Pay\u{2028}roll", false),
            // One letter with 64 marks is one character on the screen.
            ("e" + String(repeating: "\u{301}", count: 64), false),
        ])
    func application(name: String, isTaken: Bool) async throws {
        let shown = Mutex("")
        let body = try JSONEncoder().encode(SignInRequest(username: "alice", application: name))
        try await GatewayHarness.run { gateway in
            gateway.add(.policy) {
                $0.on(AuthenticateClient.self) { _, _ in
                    .with { $0.client = .with { ($0.id, $0.name, $0.anyApplication) = ("app", "Payroll", true) } }
                }
            }
            gateway.challenge {
                $0.on(BeginChallenge.self) { request, _ in
                    shown.withLock { $0 = request.application }
                    return .sample
                }
            }
            let answer = try await gateway.post("/v1/demo/sign-ins", String(decoding: body, as: UTF8.self))
            #expect(answer.problem?.code == (isTaken ? nil : "unknown_application"))
            #expect(shown.withLock { $0 } == (isTaken ? name : ""))
        }
    }

    @Test("a client whose own name has 40 characters of several code points each can ask for sign-ins")
    func ownName() async throws {
        let name = String(repeating: "क्षि", count: 40)
        try await GatewayHarness.run { gateway in
            gateway.add(.policy) {
                $0.on(AuthenticateClient.self) { _, _ in
                    .with { $0.client = .with { ($0.id, $0.name) = ("app", name) } }
                }
            }
            gateway.challenge { $0.on(BeginChallenge.self) { _, _ in .sample } }
            let answer = try await gateway.post("/v1/demo/sign-ins", #"{"username":"alice"}"#)
            #expect(answer.status == 201)
        }
    }
}
