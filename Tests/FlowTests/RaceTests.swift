import Authenticator
import DeviceAPI
import Domain
import Foundation
import Messaging
import Proofs
import Secrets
import SwiftProtobuf
import Synchronization
import TestSupport
import Testing
import Wire

extension FlowTests {
    @Suite("Races have one winner") struct RaceTests {
        @Test(
            "of an approval and a refusal that race through two verifiers, one is committed and the other is told so, 1,000 times"
        )
        func settlements() async throws {
            try await FlowStack.withTenant { stack, tenant in
                let lanes = try await BusRound.lanes(4, tenant)
                let outcomes = Mutex<[String]>([])
                try await stack.withFurtherCaller(.verifier) { verifier in
                    try await BusRound.run(1_000, in: lanes) { lane, number in
                        let open = try await lane.open()
                        let isOdd = !number.isMultiple(of: 2)
                        let (approval, refusal) = (lane.settlement(open, .approve), lane.settlement(open, .decline))
                        async let one = lane.result(isOdd ? approval : refusal, by: stack.bus(.verifier))
                        async let other = lane.result(isOdd ? refusal : approval, by: verifier)
                        let results = await [one, other]
                        let replies = results.compactMap { try? $0.get() }
                        #expect(replies.count == 1 && results.contains { $0.errorCode == .settled })
                        let outcome = try await lane.outcome(open)
                        #expect(outcome.status == replies.first?.status && outcome.reason == replies.first?.reason)
                        let redeemed = await lane.result(lane.redemption(open), by: stack.bus(.gateway))
                        #expect(
                            (try? redeemed.get()) != nil ? outcome.status == "approved" : outcome.status == "denied")
                        outcomes.withLock { $0.append(outcome.status) }
                    }
                }
                let seen = outcomes.withLock { $0 }
                #expect(seen.count == 1_000 && seen.allSatisfy { ["approved", "denied"].contains($0) })
            }
        }

        @Test(
            "of two signed answers that race through one verifier, one is committed and the other is told so, 1,000 times"
        )
        func answers() async throws {
            try await FlowStack.withTenant { stack, tenant in
                try await BusRound.run(1_000, in: BusRound.lanes(4, tenant)) { lane, _ in
                    let open = try await lane.open()
                    let approval = try await lane.answer(open, .approve(number: open.number, userVerified: true))
                    let refusal = try await lane.answer(open, .decline())
                    async let one = lane.result(approval, by: stack.bus(.gateway))
                    async let other = lane.result(refusal, by: stack.bus(.gateway))
                    let results = await [one, other]
                    let replies = results.compactMap { try? $0.get() }
                    #expect(replies.count == 1 && results.contains { $0.errorCode == .settled })
                    #expect(try await lane.outcome(open).status == replies.first?.status)
                }
            }
        }

        @Test("of two redemptions that race through two gateways, one signs in, 1,000 times")
        func redemptions() async throws {
            try await FlowStack.withTenant { stack, tenant in
                let lanes = try await BusRound.lanes(4, tenant)
                try await stack.withFurtherCaller(.gateway) { gateway in
                    try await BusRound.run(1_000, in: lanes) { lane, _ in
                        let open = try await lane.open()
                        try await lane.approve(open)
                        async let one = lane.result(lane.redemption(open), by: stack.bus(.gateway))
                        async let other = lane.result(lane.redemption(open), by: gateway)
                        let results = await [one, other]
                        #expect(results.compactMap { try? $0.get() }.map(\.username) == [lane.someone.name])
                        #expect(results.contains { $0.errorCode == .alreadyRedeemed })
                    }
                }
                #expect(
                    try await tenant.administrator.signIns().allSatisfy { $0.factor == nil || $0.status == .redeemed })
            }
        }

        @Test("of two uses of one code through two callers at one verifier, one is accepted, 200 times")
        func codes() async throws {
            try await FlowStack.withTenant { stack, tenant in
                let lane = try await BusRound(tenant, tenant.someone())
                try await stack.withFurtherCaller(.challenge) { caller in
                    for round in 0..<200 {
                        stack.clock.advance(HandClock.step)
                        let code = try await lane.someone.phone.code(lane.someone.account, on: stack)
                        func use(_ name: String) -> VerifyCode {
                            .with {
                                $0.tenant = tenant.id.rawValue
                                $0.challengeID = "\(name)-\(round)"
                                $0.username = lane.someone.name
                                $0.personID = lane.someone.user.id
                                $0.code = code
                            }
                        }
                        async let one = lane.result(use("one"), by: stack.bus(.challenge))
                        async let other = lane.result(use("other"), by: caller)
                        let results = await [one, other]
                        #expect(results.compactMap { try? $0.get() }.map(\.deviceID) == [lane.someone.account.rawValue])
                        #expect(results.contains { $0.errorCode == .invalidCode })
                    }
                }
            }
        }

        @Test("of two requests with one device proof through two gateways, one is accepted, 200 times")
        func proofs() async throws {
            try await FlowStack.withTenant { stack, tenant in
                let lane = try await BusRound(tenant, tenant.someone(phoneSignIn: false))
                let device = DeviceID(lane.someone.account.rawValue)
                let url = FlowTransport.externalURL + APIPaths.deviceChallenges(tenant.id, device)
                try await stack.withFurtherCaller(.gateway) { gateway in
                    for _ in 0..<200 {
                        let proof = try await DeviceProofClaims(
                            method: "GET", url: url, issuedAt: stack.clock.now, identifier: randomBytes(16)
                        ).signed(by: lane.signer, device: device)
                        let request = VerifyDeviceProof.with {
                            $0.tenant = tenant.id.rawValue
                            $0.proof = proof
                            $0.deviceID = device.rawValue
                            $0.httpMethod = "GET"
                            $0.url = url
                        }
                        async let one = lane.result(request, by: stack.bus(.gateway))
                        async let other = lane.result(request, by: gateway)
                        let results = await [one, other]
                        #expect(results.compactMap { try? $0.get() }.count == 1)
                        #expect(results.contains { $0.errorCode == .invalidProof })
                    }
                }
            }
        }

        @Test("of two sessions that are started with one Temporary Access Pass, one opens, 50 times")
        func passes() async throws {
            try await FlowStack.withTenant { stack, tenant in
                let user = try await tenant.administrator.createUser("alice")
                for _ in 0..<50 {
                    let pass = try await tenant.administrator.issuePass(user).temporaryAccessPass
                    let request = SessionRequest(username: "alice", temporaryAccessPass: pass)
                    async let one = tenant.browser().start(request).status
                    async let other = tenant.browser().start(request).status
                    #expect(try await [one, other].sorted() == [200, 401])
                }
            }
        }
    }
}

extension Result where Failure == ServiceError {
    var errorCode: ErrorCode? {
        if case .failure(let error) = self { error.code } else { nil }
    }
}
