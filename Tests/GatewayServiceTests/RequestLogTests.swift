import Messaging
import NIOHTTP1
import Testing
import Wire

@testable import GatewayService

@Suite("What the log says of a request")
struct RequestLogTests {
    /// The line of a sign-in that is begun where `BeginChallenge` fails so; nil: where nobody answers it.
    private static func line(_ failure: ServiceError?) async throws -> String {
        let log = Log()
        try await GatewayHarness.run { gateway in
            gateway.policy()
            if let failure { gateway.challenge { $0.on(BeginChallenge.self) { _, _ in throw failure } } }
            let answer = try await gateway.post("/v1/demo/sign-ins", #"{"username":"a"}"#)
            let id = try #require(answer.headers.first(name: "X-Request-Id"))
            // It is written before the reply.
            await log.set(gateway.log.filter { $0.contains(#""requestId":"\#(id)""#) })
        }
        let lines = await log.lines
        try #require(lines.count == 1, "\(lines)")
        return lines[0]
    }

    private actor Log {
        var lines: [String] = []

        func set(_ lines: [String]) { self.lines = lines }
    }

    @Test("a request that no service answered is a warning with its code and what was missing")
    func nobody() async throws {
        let line = try await Self.line(nil)
        #expect(line.contains(#""level":"warning""#) && line.contains(#""status":"503""#))
        #expect(line.contains(#""code":"unavailable""#) && line.contains("no instance of challenge is ready"))
    }

    @Test("what a service replied with is no warning, because that service has said why")
    func replied() async throws {
        let failure = ServiceError(.unavailable, "the store cannot be written")
        let line = try await Self.line(ServiceError(failure.code, failure: failure.failure))
        #expect(line.contains(#""level":"info""#) && line.contains(#""code":"unavailable""#))
        #expect(line.contains(#""error":"the store cannot be written""#))
    }

    @Test("a refusal is no warning, and has its code")
    func refused() async throws {
        let line = try await Self.line(ServiceError(.invalidUsername, "a sentence"))
        #expect(line.contains(#""level":"info""#) && line.contains(#""code":"invalid_username""#))
        #expect(!line.contains("a sentence"))
    }
}
