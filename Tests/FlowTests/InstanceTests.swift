import Authenticator
import DeviceAPI
import Domain
import Foundation
import Messaging
import SwiftProtobuf
import Synchronization
import Testing
import Wire

extension FlowTests {
    @Suite("Two instances of a service") struct InstanceTests {
        @Test("requests go to both; killing one in the middle loses no sign-in and makes none twice")
        func challenge() async throws {
            try await FlowStack.withTenant(instances: [.challenge: 2, .registration: 2]) { stack, tenant in
                let lanes = try await BusRound.lanes(4, tenant)
                let begun = Mutex<[String]>([])
                try await BusRound.run(400, in: lanes) { lane, number in
                    if number == 200 {
                        #expect(stack.answered(.challenge).allSatisfy { $0 > 50 })
                        await stack.kill(.challenge, 1)
                    }
                    if number == 300 {
                        #expect(stack.answered(.registration).allSatisfy { $0 > 50 })
                        await stack.kill(.registration, 1)
                    }
                    let open = try await lane.open()
                    begun.withLock { $0.append(open.id) }
                    try await lane.approve(open)
                    let redeemed = try await lane.result(lane.redemption(open), by: stack.bus(.gateway)).get()
                    #expect(redeemed.username == lane.someone.name)
                }
                let log = try await tenant.administrator.signIns().filter { $0.factor != nil }
                #expect(Set(log.map(\.id)) == Set(begun.withLock { $0 }) && log.count == 400)
                #expect(log.allSatisfy { $0.status == .redeemed && !$0.decoy })
            }
        }

        @Test("pages that wait at an instance that is killed go on waiting at the other")
        func waiting() async throws {
            try await FlowStack.withTenant(instances: [.challenge: 2]) { stack, tenant in
                let lane = try await BusRound(tenant, tenant.someone())
                let open = try await lane.open()
                let parked = stack.answered(.challenge)
                try await withThrowingTaskGroup(of: String.self) { group in
                    for _ in 0..<20 { group.addTask { try await lane.outcome(open, waiting: 25_000).status } }
                    await stack.untilAsked(.challenge, parked.map { $0 + 1 })
                    await stack.kill(.challenge, 1)
                    try await lane.approve(open)
                    for try await status in group { #expect(status == "approved") }
                }
            }
        }

        @Test("pages that wait at both instances hear at once of the answer that one of them took")
        func waitingAtBoth() async throws {
            try await FlowStack.withTenant(instances: [.challenge: 2]) { stack, tenant in
                let lane = try await BusRound(tenant, tenant.someone())
                let open = try await lane.open()
                let parked = stack.answered(.challenge)
                try await withThrowingTaskGroup(of: String.self) { group in
                    for _ in 0..<20 { group.addTask { try await lane.outcome(open, waiting: 25_000).status } }
                    await stack.untilAsked(.challenge, parked.map { $0 + 1 })
                    let start = ContinuousClock.now
                    try await lane.approve(open)
                    for try await status in group { #expect(status == "approved") }
                    #expect(ContinuousClock.now - start < .seconds(5))
                }
            }
        }

        @Test(
            "two instances of policy are both asked, and a change through the one that is left is in force everywhere")
        func policy() async throws {
            try await FlowStack.withTenant(instances: [.policy: 2]) { stack, tenant in
                let someone = try await tenant.someone()
                for index in 0..<60 {
                    if index == 30 { await stack.kill(.policy, 1) }
                    let application = try await tenant.administrator.createApplication(
                        ClientCreation(name: "Application \(index)"))
                    #expect(try await application.tryBegin(SignInRequest(username: "nobody")).status == 201)
                }
                #expect(stack.answered(.policy).allSatisfy { $0 > 10 })
                let listed = try await tenant.administrator.call("GET", APIPaths.clients(tenant.id) + "?limit=1000")
                    .body(Page<ClientDocument>.self)
                #expect(Set(listed.items.map(\.name)).count == 61 && listed.items.count == 61)
                try await tenant.administrator.changePolicy(#"{"state":"disabled"}"#)
                let request = try await tenant.application.begin(someone.name)
                #expect(try await tenant.administrator.logged(request).decoy)
            }
        }

        @Test("a phone that listens hears of every request once, whichever notifier tells, also after one was killed")
        func notifier() async throws {
            try await FlowStack.withTenant(instances: [.notifier: 2]) { stack, tenant in
                let someone = try await tenant.someone()
                let other = Phone(stack)
                let second = try await other.register(in: someone.browser)
                try await other.setUpPhoneSignIn(second, with: .password(Tenancy.password))
                var events = someone.phone.authenticator.events(someone.account).makeAsyncIterator()
                var otherEvents = other.authenticator.events(second).makeAsyncIterator()
                #expect(try await events.next() == .connected)
                #expect(try await otherEvents.next() == .connected)
                for index in 0..<40 {
                    if index == 20 {
                        #expect(stack.answered(.notifier).allSatisfy { $0 > 0 })
                        await stack.kill(.notifier, 1)
                    }
                    let request = try await tenant.application.begin(someone.name)
                    let challenge = try #require(try await events.next()?.challenge)
                    #expect(challenge.id == request.id)
                    #expect(try await otherEvents.next()?.challenge?.id == request.id)
                    #expect(try await someone.phone.approve(challenge, request.number) == .approved)
                    #expect(try await events.next() == .settled(id: request.id, status: "approved"))
                    #expect(try await otherEvents.next() == .settled(id: request.id, status: "approved"))
                }
            }
        }

        @Test("without any notifier a phone asks for itself, and its stream begins with what is open")
        func noNotifier() async throws {
            try await FlowStack.withTenant { stack, tenant in
                let someone = try await tenant.someone()
                await stack.kill(.notifier, 0)
                let request = try await tenant.application.begin(someone.name)
                var events = someone.phone.authenticator.events(someone.account).makeAsyncIterator()
                #expect(try await events.next() == .connected)
                #expect(try await events.next()?.challenge?.id == request.id)
                #expect(try await someone.phone.approve(request, someone.account) == .approved)
                #expect(try await tenant.application.redeemed(request).method == .push)
            }
        }
    }
}
