import Authenticator
import DeviceAPI
import Domain
import Foundation
import Proofs
import TestSupport
import Testing

extension FlowTests {
    @Suite("Decoys") struct DecoyTests {
        @Test(
            "nobody, a blocked person, one without a phone and one outside the policy get a reply of the same shape; the log knows"
        )
        func sameShape() async throws {
            try await FlowStack.withTenant { stack, tenant in
                let real = try await tenant.someone("alice")
                let blocked = try await tenant.someone("bob")
                try await tenant.administrator.setBlocked(blocked.user, true)
                _ = try await tenant.person("carol")
                let outside = try await tenant.someone("dave")
                try await tenant.administrator.changePolicy(
                    #"{"excludeTargets":[{"targetType":"user","id":"\#(outside.user.id)"}]}"#)
                let expected = [
                    ("alice", nil), ("nobody", "unknown_user"), ("bob", "blocked"), ("carol", "no_device"),
                    ("dave", "outside_policy"),
                ]
                var shapes: [[String: String]] = []
                for (name, reason) in expected {
                    let reply = try await tenant.application.tryBegin(SignInRequest(username: name))
                    let request = try reply.body(SignInReply.self, status: 201)
                    shapes.append(try Self.shape(reply))
                    #expect(request.number.count == 2 && request.methods == [.push, .code])
                    let page = try await tenant.application.status(request)
                    #expect(page.status == .pending && page.reason == nil)
                    let log = try await tenant.administrator.logged(request)
                    #expect(log.decoy == (reason != nil) && log.reason == reason, "\(name)")
                }
                #expect(Set(shapes).count == 1)
                #expect(try await outside.phone.pendingIDs(outside.account) == [])
                #expect(try await real.phone.pendingIDs(real.account).count == 1)
                await stack.advance(.seconds(60))
                #expect(
                    Set(try await tenant.administrator.signIns().filter { $0.factor != nil }.map(\.status)) == [
                        .expired
                    ])
            }
        }

        /// Member names, and of each value how long its text is.
        private static func shape(_ reply: WebReply) throws -> [String: String] {
            let members = try #require(try JSONValue(parsing: Array(reply.body)).members)
            return members.mapValues { value in "\(value.text.map { "\($0.count)" } ?? "\(value)")" }
        }

        @Test("the fourth open request is a decoy, and the three before it stay")
        func fourth() async throws {
            try await FlowStack.withTenant { stack, tenant in
                let someone = try await tenant.someone()
                var requests: [SignInReply] = []
                for _ in 0..<4 { requests.append(try await tenant.application.begin(someone.name)) }
                let ids = try await someone.phone.pendingIDs(someone.account)
                #expect(Set(ids) == Set(requests.prefix(3).map(\.id)))
                #expect(try await tenant.administrator.logged(requests[3]).reason == "too_many_open")
                #expect(try await someone.phone.approve(requests[1], someone.account) == .approved)
                let again = try await tenant.application.begin(someone.name)
                #expect(!(try await tenant.administrator.logged(again)).decoy)
            }
        }

        @Test("a decoy is never approved by a phone: an answer to it is refused as one to an id that does not exist")
        func neverApproved() async throws {
            try await FlowStack.withTenant { stack, tenant in
                let someone = try await tenant.someone()
                try await tenant.administrator.changePolicy(#"{"state":"disabled"}"#)
                let decoy = try await tenant.application.begin(someone.name)
                try await tenant.administrator.changePolicy(#"{"state":"enabled"}"#)
                var details: [String?] = []
                for id in [decoy.id, "AAAAAAAAAAAAAAAAAAAAAAAA"] {
                    let answer = try await AnswerClaims(
                        audience: "\(FlowTransport.externalURL)/\(tenant.id)", challenge: ChallengeID(id),
                        choice: .approve(number: decoy.number, userVerified: true),
                        contentDigest: contentDigest(Array("{}".utf8)), issuedAt: stack.clock.now
                    ).signed(by: someone.phone.signer(), device: DeviceID(someone.account.rawValue))
                    let reply = try await stack.web.send(
                        "POST", APIPaths.answer(tenant.id, ChallengeID(id)), body: AnswerRequest(answer: answer))
                    #expect(reply.status == 403 && reply.code == "refused")
                    details.append(reply.problem?.detail)
                }
                #expect(details[0] == details[1])
                #expect(try await tenant.application.status(decoy).status == .pending)
            }
        }

        @Test("a decoy of a person who may use codes is settled by a valid code with the password")
        func settledByCode() async throws {
            try await FlowStack.withTenant { stack, tenant in
                let someone = try await tenant.someone(phoneSignIn: false)
                let decoy = try await tenant.application.begin(someone.name)
                #expect(try await tenant.administrator.logged(decoy).decoy)
                let code = try await someone.phone.code(someone.account, on: stack)
                #expect(try await tenant.application.code(decoy, code, password: Tenancy.password).status == 200)
                #expect(try await tenant.application.redeemed(decoy).user.username == someone.name)
            }
        }

        @Test("a code for nobody, and one for a blocked person, are wrong codes like any other")
        func codeForNobody() async throws {
            try await FlowStack.withTenant { stack, tenant in
                let someone = try await tenant.someone()
                try await tenant.administrator.setBlocked(someone.user, true)
                let code = try await someone.phone.code(someone.account, on: stack)
                for name in ["nobody", someone.name] {
                    let request = try await tenant.application.begin(name, .secondFactor)
                    for _ in 0..<3 { #expect(try await tenant.application.code(request, code).code == "invalid_code") }
                    let fourth = try await tenant.application.code(request, code)
                    #expect(fourth.status == 429 && fourth.head["Retry-After"] == "120")
                }
            }
        }

        @Test("blocking ends open requests, approvals not redeemed and sessions; unblocking brings the phone back")
        func blocked() async throws {
            try await FlowStack.withTenant { stack, tenant in
                let someone = try await tenant.someone()
                let approved = try await tenant.application.begin(someone.name)
                try await someone.phone.approve(approved, someone.account)
                let open = try await tenant.application.begin(someone.name)
                let challenge = try await someone.phone.challenge(open.id, someone.account)
                try await tenant.administrator.setBlocked(someone.user, true)
                #expect(try await tenant.application.status(open).status == .canceled)
                #expect(try await tenant.application.redeem(approved).status == 410)
                #expect(try await someone.browser.call("GET", APIPaths.me(tenant.id)).status == 401)
                await #expect(throws: AuthenticatorError.refused) {
                    try await someone.phone.approve(challenge, open.number)
                }
                try await tenant.administrator.setBlocked(someone.user, false)
                let request = try await tenant.application.begin(someone.name)
                #expect(try await someone.phone.approve(request, someone.account) == .approved)
            }
        }
    }
}
