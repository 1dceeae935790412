import DeviceAPI
import Domain
import Foundation
import Testing

@Suite("Paths")
struct APIPathTests {
    private static let tenant = TenantID("demo")
    private static let challenge = ChallengeID("c1")
    private static let device = DeviceID("d1")
    private static let person = PersonID("p1")

    @Test(
        "a path is what the contract says",
        arguments: [
            (APIPaths.health, "/healthz"), (APIPaths.readiness, "/readyz"), (APIPaths.metrics, "/metrics"),
            (APIPaths.tenants, "/v1/tenants"),
            (APIPaths.token(tenant), "/v1/demo/token"),
            (APIPaths.signIns(tenant), "/v1/demo/sign-ins"),
            (APIPaths.signIn(tenant, challenge), "/v1/demo/sign-ins/c1"),
            (APIPaths.signInEvents(tenant, challenge), "/v1/demo/sign-ins/c1/events"),
            (APIPaths.signInCode(tenant, challenge), "/v1/demo/sign-ins/c1/code"),
            (APIPaths.redeem(tenant, challenge), "/v1/demo/sign-ins/c1/redeem"),
            (APIPaths.devices(tenant), "/v1/demo/devices"),
            (APIPaths.device(tenant, device), "/v1/demo/devices/d1"),
            (APIPaths.deviceChallenges(tenant, device), "/v1/demo/devices/d1/challenges"),
            (APIPaths.deviceEvents(tenant, device), "/v1/demo/devices/d1/events"),
            (APIPaths.phoneSignIn(tenant, device), "/v1/demo/devices/d1/phone-sign-in"),
            (APIPaths.answer(tenant, challenge), "/v1/demo/challenges/c1/answer"),
        ])
    func firstHalf(_ path: String, _ contract: String) { #expect(path == contract) }

    @Test(
        "a path of a person's own or of the administration is what the contract says",
        arguments: [
            (APIPaths.session(tenant), "/v1/demo/session"),
            (APIPaths.sessionCompletion(tenant), "/v1/demo/session/complete"),
            (APIPaths.me(tenant), "/v1/demo/me"),
            (APIPaths.myActivations(tenant), "/v1/demo/me/activations"),
            (APIPaths.myActivation(tenant, ActivationID("a1")), "/v1/demo/me/activations/a1"),
            (APIPaths.myActivationCode(tenant, ActivationID("a1")), "/v1/demo/me/activations/a1/qr.svg"),
            (APIPaths.myDevice(tenant, device), "/v1/demo/me/devices/d1"),
            (APIPaths.mySignIns(tenant), "/v1/demo/me/sign-ins"),
            (APIPaths.policy(tenant), "/v1/demo/admin/policies/authenticator"),
            (APIPaths.policyExplanation(tenant), "/v1/demo/admin/policies/authenticator/explain"),
            (APIPaths.settings(tenant), "/v1/demo/admin/settings"),
            (APIPaths.users(tenant), "/v1/demo/admin/users"),
            (APIPaths.usersImport(tenant), "/v1/demo/admin/users:import"),
            (APIPaths.user(tenant, person), "/v1/demo/admin/users/p1"),
            (APIPaths.blockUser(tenant, person), "/v1/demo/admin/users/p1:block"),
            (APIPaths.unblockUser(tenant, person), "/v1/demo/admin/users/p1:unblock"),
            (APIPaths.unlockCodes(tenant, person), "/v1/demo/admin/users/p1:unlock-codes"),
            (APIPaths.temporaryAccessPass(tenant, person), "/v1/demo/admin/users/p1/temporary-access-pass"),
            (APIPaths.userDevices(tenant, person), "/v1/demo/admin/users/p1/devices"),
            (APIPaths.userDevice(tenant, person, device), "/v1/demo/admin/users/p1/devices/d1"),
            (APIPaths.groups(tenant), "/v1/demo/admin/groups"),
            (APIPaths.group(tenant, GroupID("g1")), "/v1/demo/admin/groups/g1"),
            (APIPaths.groupMembers(tenant, GroupID("g1")), "/v1/demo/admin/groups/g1/members"),
            (APIPaths.clients(tenant), "/v1/demo/admin/clients"),
            (APIPaths.client(tenant, ClientID("k1")), "/v1/demo/admin/clients/k1"),
            (APIPaths.signInLog(tenant), "/v1/demo/admin/sign-ins"),
            (APIPaths.audit(tenant), "/v1/demo/admin/audit"),
        ])
    func secondHalf(_ path: String, _ contract: String) { #expect(path == contract) }

    @Test("every path is below the tenant that it belongs to")
    func tenants() {
        #expect(APIPaths.signIns(TenantID("other")) == "/v1/other/sign-ins")
        #expect(APIPaths.tenant(Self.tenant) == "/v1/demo" && APIPaths.admin(Self.tenant) == "/v1/demo/admin")
    }
}
