import Domain
import Foundation
import Messaging
import PolicyService
import SwiftProtobuf
import Synchronization
import Testing
import Wire

@Suite("Following the tenants")
struct WatchTests {
    @Test("a new follower gets everything at once, also nothing at all")
    func complete() async throws {
        let bench = try await PolicyBench()
        let empty = try await bench.watch(wait: 20_000)
        #expect(empty.complete && empty.changed.isEmpty && !empty.more && empty.epoch != 0)
        try await bench.createTenant("a")
        try await bench.createTenant("b")
        let everything = try await bench.watch(wait: 20_000)
        #expect(everything.complete)
        #expect(Set(everything.changed.map(\.tenant)) == ["a", "b"])
        #expect(try JSONValue(parsing: Array(everything.changed[0].policyJson)) == AuthenticatorPolicy.initial.document)
    }

    @Test("a parked follower sees a change within a second, and that change alone")
    func change() async throws {
        let bench = try await PolicyBench()
        try await bench.createTenant("a")
        try await bench.createTenant("demo")
        let known = try await bench.watch()
        let etag = try await bench.policy().etag
        async let parked = bench.watch(known, wait: 20_000)
        let start = ContinuousClock.now
        async let change = bench.changePolicy(#"{"state":"disabled"}"#, ifMatch: etag)
        let reply = try await parked
        #expect(ContinuousClock.now - start < .seconds(1))
        let changed = try await change
        #expect(!reply.complete)
        #expect(reply.changed.map(\.tenant) == ["demo"])
        #expect(reply.changed[0].policyJson == changed.json)
        #expect(reply.revision > known.revision)
    }

    @Test("a change is answered after those who follow have taken it over")
    func inForce() async throws {
        let bench = try await PolicyBench()
        try await bench.createTenant()
        let etag = try await bench.policy().etag
        let known = try await bench.watch()
        let inForce = Mutex(false)
        async let follower: Void = {
            let reply = try await bench.watch(known, wait: 20_000)
            inForce.withLock { $0 = true }
            _ = try await bench.watch(reply)
        }()
        await bench.followersParked(1)
        _ = try await bench.changePolicy(#"{"state":"disabled"}"#, ifMatch: etag)
        let isInForce = inForce.withLock { $0 }
        #expect(isInForce)
        try await follower
    }

    @Test("a follower that is gone does not keep a change from being answered")
    func lost() async throws {
        let bench = try await PolicyBench()
        try await bench.createTenant()
        let etag = try await bench.policy().etag
        let known = try await bench.watch()
        async let never = bench.watch(known, wait: 20_000)
        await bench.followersParked(1)
        let changed = try await bench.changePolicy(#"{"state":"disabled"}"#, ifMatch: etag)
        #expect(try await never.changed.first?.policyJson == changed.json)
    }

    @Test("a follower that is behind is not parked")
    func behind() async throws {
        let bench = try await PolicyBench()
        try await bench.createTenant("a")
        let known = try await bench.watch()
        _ = try await bench.createClient("a")
        let reply = try await bench.watch(known, wait: 20_000)
        #expect(reply.changed.map(\.tenant) == ["a"])
    }

    @Test("when nothing happens the wait ends with nothing, at the same revision")
    func quiet() async throws {
        let bench = try await PolicyBench()
        try await bench.createTenant("a")
        let known = try await bench.watch()
        let reply = try await bench.watch(known, wait: 1)
        #expect(
            reply.changed.isEmpty && !reply.complete && reply.revision == known.revision && reply.epoch == known.epoch)
    }

    @Test("a restarted service keeps everything and answers a follower of the one before completely")
    func restart() async throws {
        let bench = try await PolicyBench()
        try await bench.createTenant("a")
        let client = try await bench.createClient("a")
        let settings = try await bench.changeSettings(
            #"{"numberDigits":4}"#, ifMatch: try await bench.settings("a").etag, "a")
        let known = try await bench.watch()
        await bench.stop()
        try bench.start()
        let reply = try await bench.watch(known, wait: 20_000)
        #expect(reply.complete && reply.epoch != known.epoch)
        #expect(reply.changed.map(\.revision) == known.changed.map(\.revision))
        #expect(try await bench.settings("a") == settings)
        let request = AuthenticateClient.with {
            $0.tenant = "a"
            $0.clientID = client.client.id
            $0.secretDigest = digest(client.secret)
        }
        #expect(try await bench.call(request).client == client.client)
    }

    @Test("more tenants than fit into one message come in pages, each once")
    func pages() async throws {
        let bench = try await PolicyBench()
        for index in 0..<150 { try await bench.createTenant("t\(index)") }
        var reply = try await bench.watch()
        #expect(reply.complete && reply.more)
        var seen = reply.changed.map(\.tenant)
        while reply.more {
            reply = try await bench.watch(reply, wait: 20_000)
            #expect(!reply.complete)
            seen += reply.changed.map(\.tenant)
        }
        #expect(seen.count == 150)
        #expect(Set(seen).count == 150)
    }
}
