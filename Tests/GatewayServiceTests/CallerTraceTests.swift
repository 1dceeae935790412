import Domain
import Messaging
import Synchronization
import Testing
import Wire

@Suite struct CallerTraceTests {
    @Test(
        "a caller's trace goes on, but where nothing is traced its wish to be recorded does not",
        arguments: ["00", "01"])
    func flag(flags: String) async throws {
        let seen = Mutex(TraceContext.none)
        try await GatewayHarness.run { gateway in
            gateway.policy()
            gateway.challenge { routes in
                routes.on(BeginChallenge.self) { _, context in
                    seen.withLock { $0 = context.call.trace }
                    return .sample
                }
            }
            let header = ("traceparent", "00-00000000000000010000000000000002-0000000000000003-\(flags)")
            let answer = try await gateway.post(
                "/v1/demo/sign-ins", #"{"username":"alice"}"#, [GatewayHarness.application, header])
            #expect(answer.status == 201)
        }
        let trace = seen.withLock(\.self)
        #expect(trace == TraceContext(traceHigh: 1, traceLow: 2, span: 3, sampled: false))
    }
}
