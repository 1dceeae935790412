import Messaging
import NIOHTTP1
import SwiftProtobuf
import Synchronization
import Testing
import Wire

@Suite("\"This was not me\", of one of the person's own sign-ins")
struct ReportTests {
    @Test(
        "ends the other sessions before the sign-in, and neither where challenge knows no such sign-in of the person",
        arguments: [true, false])
    func order(isFound: Bool) async throws {
        try await GatewayHarness.run { gateway in
            let done = Mutex<[String]>([])
            gateway.add(.registration) {
                $0.on(ResolveSession.self) { _, _ in .with { $0.person.id = "p1" } }
                $0.on(EndOtherSessions.self) { request, _ in
                    done.withLock { $0.append("sessions of \(request.personID) and \(request.challengeID)") }
                    return Wire.Empty()
                }
            }
            gateway.challenge {
                $0.on(CheckSignIn.self) { request, _ in
                    #expect(request.tenant == "demo" && request.personID == "p1" && request.challengeID == "c1")
                    guard isFound else { throw ServiceError(.notFound, "no such sign-in") }
                    return Wire.Empty()
                }
                $0.on(ReportSignIn.self) { request, _ in
                    done.withLock { $0.append("\(request.challengeID) of \(request.personID)") }
                    return Wire.Empty()
                }
            }
            let answer = try await gateway.send(
                .POST, "/v1/demo/me/sign-ins/c1:report", [("Cookie", "countersign-session-demo=token")])
            #expect(answer.status == (isFound ? 204 : 404))
            #expect(done.withLock { $0 } == (isFound ? ["sessions of p1 and c1", "c1 of p1"] : []))
        }
    }
}
