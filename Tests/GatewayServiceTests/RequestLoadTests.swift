import DeviceAPI
import Messaging
import NIOHTTP1
import Testing
import Wire

@testable import GatewayService

@Suite("More requests than there may be at once")
struct RequestLoadTests {
    @Test("a sign-in beyond them is 503 with Retry-After, and counted; those that have begun go on, and make room")
    func requestsMax() async throws {
        try await GatewayHarness.run {
            $0.requestsMax = 1
        } _: { gateway in
            let (held, holding) = AsyncStream<Void>.makeStream()
            let (begun, beginning) = AsyncStream<Void>.makeStream()
            gateway.policy()
            gateway.challenge {
                $0.on(BeginChallenge.self) { _, _ in
                    beginning.yield()
                    for await _ in held { break }
                    return .sample
                }
                $0.on(AwaitOutcome.self) { _, _ in .sample("pending") }
            }
            async let first = gateway.post("/v1/demo/sign-ins", #"{"username":"a"}"#)
            for await _ in begun { break }

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

            holding.finish()
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
