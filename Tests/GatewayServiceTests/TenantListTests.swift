import DeviceAPI
import Domain
import GatewayService
import Messaging
import NIOHTTP1
import SwiftProtobuf
import TestSupport
import Testing
import Wire

@Suite struct TenantListTests {
    @Test("the tenants are asked with the caller's cursor and limit, and the reply says where it goes on")
    func pages() async throws {
        try await GatewayHarness.run { gateway in
            var routes = Routes(service: .policy)
            routes.on(AuthenticateToken.self) { _, _ in .with { $0.kind = "operator" } }
            routes.on(ListTenants.self) { request, _ in
                #expect(request.page.cursor == "a" && request.page.limit == 2)
                return .with {
                    $0.tenants = [.with { ($0.tenant, $0.name) = ("b", "B") }]
                    $0.next = "b"
                }
            }
            gateway.bus.add(routes)
            let answer = try await gateway.send(.GET, "/v1/tenants?cursor=a&limit=2", [GatewayHarness.administrator])
            #expect(answer.body == #"{"items":[{"id":"b","name":"B"}],"next":"b"}"#)
            let far = try await gateway.send(.GET, "/v1/tenants?limit=1001", [GatewayHarness.administrator])
            #expect(far.problem?.code == "malformed")
        }
    }
}
