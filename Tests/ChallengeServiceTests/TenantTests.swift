import Domain
import Foundation
import Storage
import SwiftProtobuf
import TestSupport
import Testing
import Wire

@Suite("Tenants")
struct TenantTests {
    @Test("a request of one tenant does not exist in another, whatever is known of it")
    func invisible() async throws {
        let bench = try ChallengeBench()
        let request = bench.request(tenant: ChallengeBench.other)
        let begun = try await bench.begin()
        var foreign = Begun(begun.reply, request)
        foreign.owner = begun.owner
        foreign.secretDigest = begun.secretDigest
        let asking = foreign
        for error in [
            await bench.refusal { try await bench.outcome(asking) },
            await bench.refusal { try await bench.redeem(asking) },
            await bench.refusal { try await bench.cancel(asking) },
            await bench.refusal { try await bench.submit(to: asking) },
        ] {
            #expect(error?.code == .notFound)
        }
        #expect(try await bench.status(begun) == "pending")
    }

    @Test("an answer in another tenant is refused like one to an unknown request")
    func answer() async throws {
        let bench = try ChallengeBench()
        let begun = try await bench.begin()
        let foreign = try await bench.answer(begun.id, number: begun.number) { $0.tenant = "other" }
        let unknown = try await bench.answer("unknown", number: begun.number)
        #expect(await bench.refusal { try await bench.settle(foreign) }?.code == .refused)
        let errors = [
            await bench.refusal { try await bench.settle(foreign) },
            await bench.refusal { try await bench.settle(unknown) },
        ]
        #expect(errors[0] == errors[1])
        #expect(try await bench.approve(begun).status == "approved")
    }

    @Test("lists, logs, cancellations, limits and silence end at the tenant, also for equal ids")
    func separate() async throws {
        let bench = try ChallengeBench()
        bench.neighbours.add(
            "alice", id: "p1", devices: [Neighbours.device("d1", of: "p1")], tenant: ChallengeBench.other)
        for _ in 0..<3 { _ = try await bench.begin() }
        let begun = try await bench.begin(tenant: ChallengeBench.other)
        #expect(try await bench.pending(tenant: ChallengeBench.other).map(\.id) == [begun.id])
        #expect(try await bench.pending().count == 3)
        try await bench.revoke()
        #expect(try await bench.pending(tenant: ChallengeBench.other).map(\.id) == [begun.id])
        let log = try await bench.call(ListSignIns.with { $0.tenant = "other" })
        #expect(log.entries.map(\.id) == [begun.id])
        try await bench.refuse(bench.begin(), .report)
        let next = try await bench.begin(tenant: ChallengeBench.other)
        #expect(next.number.count == 2)
        #expect(try await bench.record(next.id, tenant: ChallengeBench.other)?.isSilenced == false)
    }

    @Test("a device's own challenge of one tenant is not another's, even with the same id")
    func deviceChallenge() async throws {
        let bench = try ChallengeBench()
        try await bench.beginForDevice("c1", .registration)
        let error = await bench.refusal {
            try await bench.beginForDevice("c1", .registration, tenant: ChallengeBench.other)
        }
        #expect(error != nil)
        #expect(try await bench.pending().map(\.id) == ["c1"])
        #expect(try await bench.pending(tenant: ChallengeBench.other).isEmpty)
    }

    @Test("before policy's first word nothing begins")
    func unknownYet() async throws {
        let bench = try ChallengeBench()
        bench.tenants.remove(ChallengeBench.demo)
        #expect(await bench.refusal { try await bench.begin() }?.code == .notFound)
        #expect(try await bench.outbox().isEmpty)
    }
}
