import AsyncHTTPClient
import DeviceAPI
import Messaging
import NIOCore
import NIOHTTP1
import Testing
import Wire

@testable import GatewayService

@Suite("More requests than there may be at once")
struct RequestLoadTests {
    /// Sign-ins that are begun and get no answer before they are released.
    private struct HeldBegins: Sendable {
        private let begun = AsyncStream<Void>.makeStream()
        private let held = AsyncStream<Void>.makeStream()

        func add(to routes: inout Routes) {
            routes.on(BeginChallenge.self) { [begun, held] _, _ in
                begun.continuation.yield()
                for await _ in held.stream { break }
                return .sample
            }
        }

        func first() async { for await _ in begun.stream { break } }
        func release() { held.continuation.finish() }
    }

    /// A request that nobody answers.
    private static func pending(_ request: AwaitOutcome) async throws -> OutcomeReply {
        if request.waitMs > 0 { try await Task.sleep(for: .seconds(60)) }
        return .sample("pending")
    }

    private static func events(_ gateway: GatewayHarness, _ id: String) -> HTTPClientRequest {
        gateway.request(.GET, "/v1/demo/sign-ins/\(id)/events", [GatewayHarness.application, ("Sign-In-Secret", "s1")])
    }

    @Test("the open streams of pages make no room for more than that", .timeLimit(.minutes(1)))
    func streams() async throws {
        try await GatewayHarness.run {
            $0.requestsMax = 1
        } _: { gateway in
            let begins = HeldBegins()
            gateway.policy()
            gateway.challenge {
                begins.add(to: &$0)
                $0.on(AwaitOutcome.self) { request, _ in try await Self.pending(request) }
            }
            var pages: [HTTPClientResponse] = []
            for number in 1...3 {
                pages.append(
                    try await HTTPClient.shared.execute(Self.events(gateway, "c\(number)"), timeout: .minutes(1)))
            }
            #expect(pages.map(\.status) == [.ok, .ok, .ok])
            async let first = gateway.post("/v1/demo/sign-ins", #"{"username":"a"}"#)
            await begins.first()
            #expect(try await gateway.post("/v1/demo/sign-ins", #"{"username":"b"}"#).status == 503)
            begins.release()
            #expect(try await first.status == 201)
            withExtendedLifetime(pages) {}
        }
    }

    @Test("HEAD of a stream is answered at once, and leaves its place", .timeLimit(.minutes(1)))
    func head() async throws {
        try await GatewayHarness.run { gateway in
            gateway.policy()
            gateway.challenge { $0.on(AwaitOutcome.self) { request, _ in try await Self.pending(request) } }
            var request = Self.events(gateway, "c1")
            request.method = .HEAD
            let reply = try await HTTPClient.shared.execute(request, timeout: .seconds(30))
            #expect(reply.status == .ok)
            #expect(try await gateway.send(.GET, "/metrics").body.contains("countersign_http_waits_open 0"))
        }
    }

    @Test(
        "a sign-in beyond them is 503 with Retry-After, and counted; those that have begun go on, and make room",
        .timeLimit(.minutes(1)))
    func requestsMax() async throws {
        try await GatewayHarness.run {
            $0.requestsMax = 1
        } _: { gateway in
            let begins = HeldBegins()
            gateway.policy()
            gateway.challenge {
                begins.add(to: &$0)
                $0.on(AwaitOutcome.self) { _, _ in .sample("pending") }
            }
            async let first = gateway.post("/v1/demo/sign-ins", #"{"username":"a"}"#)
            await begins.first()

            let refused = try await gateway.post("/v1/demo/sign-ins", #"{"username":"b"}"#)
            #expect(refused.status == 503)
            #expect(refused.headers.first(name: "Retry-After") == "1")
            #expect(refused.headers.first(name: "Content-Type") == "application/problem+json")
            let problem = try #require(refused.problem)
            #expect(problem.code == "overloaded" && problem.status == 503 && problem.title == "Service Unavailable")
            #expect(problem.requestId == refused.headers.first(name: "X-Request-Id"))
            let follows = try await gateway.send(
                .GET, "/v1/demo/sign-ins/c1", [GatewayHarness.application, ("Sign-In-Secret", "s1")])
            #expect(follows.status == 200)
            let counted = try await gateway.send(.GET, "/metrics").body
            let series = #"countersign_http_requests_total{method="POST",route="/v1/{tenant}/sign-ins",status="5xx"} 1"#
            #expect(counted.contains(series), "\(counted)")

            begins.release()
            #expect(try await first.status == 201)
            #expect(try await gateway.post("/v1/demo/sign-ins", #"{"username":"b"}"#).status == 201)
        }
    }

    @Test("who only waits takes no room")
    func waiting() throws {
        let load = RequestLoad(requestsMax: 1)
        for _ in 0..<3 { load.enter() }
        #expect(throws: ServiceError.self) { try load.admit(waiting: 1) }
        try load.admit(waiting: 2)
    }
}
