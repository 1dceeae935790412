import Authenticator
import DeviceAPI
import Domain
import Foundation
import Proofs
import TestSupport
import Testing

extension FlowTests {
    @Suite("Two tenants") struct TenantTests {
        @Test("an application, its token and its requests are unknown in another tenant")
        func applications() async throws {
            try await FlowStack.withTenant { stack, first in
                let second = try await stack.tenant("second")
                let someone = try await first.someone()
                let request = try await first.application.begin(someone.name)
                let own = second.application
                #expect(try await own.call("GET", request).code == "not_found")
                #expect(try await own.redeem(request).code == "not_found")
                #expect(try await own.cancel(request).code == "not_found")
                #expect(try await own.code(request, "123456").code == "not_found")
                let stranger = Application(
                    web: stack.web, tenant: second.id, id: first.application.id, secret: first.application.secret)
                #expect(try await stranger.tryBegin(SignInRequest(username: "alice")).status == 401)
                #expect(try await stranger.call("GET", request).status == 401)

                let token = try await stack.web.send(
                    "POST", APIPaths.token(first.id),
                    [
                        Application.basic(first.application.id, first.application.secret),
                        ("Content-Type", APIMedia.form),
                    ], body: Data("grant_type=client_credentials".utf8)
                ).body(TokenReply.self).accessToken
                for (tenant, status) in [(first.id, 201), (second.id, 401)] {
                    let reply = try await stack.web.send(
                        "POST", APIPaths.signIns(tenant), [("Authorization", "Bearer \(token)")],
                        body: SignInRequest(username: "nobody"))
                    #expect(reply.status == status)
                }
                #expect(try await first.application.status(request).status == .pending)
            }
        }

        @Test("a request of one application is unknown to another of the same tenant")
        func twoApplications() async throws {
            try await FlowStack.withTenant { stack, tenant in
                let other = try await tenant.administrator.createApplication(ClientCreation(name: "Other"))
                let request = try await tenant.application.begin("alice")
                #expect(try await other.call("GET", request).status == 404)
                #expect(try await other.redeem(request).status == 404)
                #expect(try await other.cancel(request).status == 404)
                var guess = request
                guess.secret = String(request.secret.reversed())
                #expect(try await tenant.application.call("GET", guess).status == 404)
            }
        }

        @Test("an administrator sees and changes nothing of another tenant")
        func administrators() async throws {
            try await FlowStack.withTenant { stack, first in
                let second = try await stack.tenant("second")
                let someone = try await first.someone()
                _ = try await first.application.begin(someone.name)
                let other = second.administrator
                let (id, device) = (PersonID(someone.user.id), DeviceID(someone.account.rawValue))
                for path in [
                    APIPaths.user(second.id, id), APIPaths.userDevices(second.id, id),
                    APIPaths.policyExplanation(second.id) + "?user=\(someone.name)",
                ] {
                    #expect(try await other.call("GET", path).status == 404, "\(path)")
                }
                for (method, path) in [
                    ("POST", APIPaths.blockUser(second.id, id)), ("DELETE", APIPaths.user(second.id, id)),
                    ("DELETE", APIPaths.userDevice(second.id, id, device)),
                ] {
                    #expect(try await other.call(method, path).status == 404, "\(path)")
                }
                let pass = try await other.call(
                    "POST", APIPaths.temporaryAccessPass(second.id, id), body: PassRequest())
                #expect(pass.status == 404)
                #expect(try await other.signIns().isEmpty)
                #expect(
                    try await other.call("GET", APIPaths.users(second.id)).body(Page<UserDocument>.self).items == [])
                for path in [APIPaths.users(first.id), APIPaths.settings(first.id), APIPaths.audit(first.id)] {
                    #expect(try await other.call("GET", path).status == 401, "a token of another tenant: \(path)")
                }
                // The same name is another person there.
                let namesake = try await other.createUser(someone.name)
                #expect(namesake.id != someone.user.id)
                try await other.setBlocked(namesake, true)
                let request = try await first.application.begin(someone.name)
                #expect(try await someone.phone.approve(request, someone.account) == .approved)
                #expect(try await first.administrator.signIns().allSatisfy { $0.userId == someone.user.id })
            }
        }

        @Test("a session, a ticket and a pass are good in their own tenant only")
        func people() async throws {
            try await FlowStack.withTenant { stack, first in
                let second = try await stack.tenant("second")
                let (user, browser) = try await first.person("alice")
                _ = try await second.person("alice")
                let thief = second.browser()
                thief.steal(from: browser) { $0.replacingOccurrences(of: "demo", with: "second") }
                #expect(try await thief.call("GET", APIPaths.me(second.id)).status == 401)

                let activation = try await browser.newActivation()
                var moved = activation
                moved.activationUri = activation.activationUri.replacingOccurrences(
                    of: "tenant=demo", with: "tenant=second")
                let phone = Phone(stack)
                await #expect(throws: AuthenticatorError.refused) { try await phone.activate(moved) }
                #expect(try await phone.activate(activation).tenant == "demo")

                let pass = try await first.administrator.issuePass(user).temporaryAccessPass
                let request = SessionRequest(username: "alice", temporaryAccessPass: pass)
                #expect(try await second.browser().start(request).code == "invalid_credentials")
                #expect(try await first.browser().start(request).status == 200)
            }
        }

        @Test("one key in two tenants is two devices, and neither answers or lists for the other")
        func sameKey() async throws {
            try await FlowStack.withTenant { stack, first in
                let second = try await stack.tenant("second")
                let someone = try await first.someone()
                let there = try await someone.phone.register(in: try await second.person("alice").1)
                #expect(try await someone.phone.authenticator.accounts().count == 2)
                let request = try await first.application.begin(someone.name, .secondFactor)
                #expect(try await someone.phone.pendingIDs(there) == [])
                let challenge = try await someone.phone.challenge(request.id, someone.account)

                // A proof of the one device for the other tenant's path, and an answer by it at the other tenant.
                let signer = try await someone.phone.signer()
                for (device, tenant) in [(someone.account, second.id), (there, first.id)] {
                    let path = APIPaths.deviceChallenges(tenant, DeviceID(device.rawValue))
                    let proof = try await DeviceProofClaims(
                        method: "GET", url: FlowTransport.externalURL + path, issuedAt: stack.clock.now,
                        identifier: Array(UUID().uuidString.utf8)
                    ).signed(by: signer, device: DeviceID(device.rawValue))
                    let reply = try await stack.web.send("GET", path, [("Authorization", "DeviceProof \(proof)")])
                    #expect(reply.status == 401)
                    let answer = try await AnswerClaims(
                        audience: "\(FlowTransport.externalURL)/\(tenant)", challenge: ChallengeID(request.id),
                        choice: .approve(number: request.number, userVerified: true),
                        contentDigest: contentDigest(Array(challenge.shown { _ in }.content.bytes)),
                        issuedAt: stack.clock.now
                    ).signed(by: signer, device: DeviceID(device.rawValue))
                    let answered = try await stack.web.send(
                        "POST", APIPaths.answer(tenant, ChallengeID(request.id)), body: AnswerRequest(answer: answer))
                    #expect(answered.code == "refused")
                }
                #expect(try await someone.phone.approve(challenge, request.number) == .approved)
            }
        }

        @Test("a tenant that does not exist is unknown everywhere")
        func noTenant() async throws {
            try await FlowStack.withTenant { stack, tenant in
                let nowhere = TenantID("nowhere")
                let token = [("Authorization", "Bearer \(tenant.administrator.token)")]
                for path in [APIPaths.users(nowhere), APIPaths.me(nowhere), APIPaths.signInLog(nowhere)] {
                    #expect(try await stack.web.send("GET", path, token).code == "not_found")
                }
                let begun = try await stack.web.send(
                    "POST", APIPaths.signIns(nowhere), [Application.basic("a", "b")],
                    body: SignInRequest(username: "alice"))
                #expect(begun.code == "not_found")
            }
        }
    }
}
