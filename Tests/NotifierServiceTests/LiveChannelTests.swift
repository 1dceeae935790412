import Domain
import NotifierService
import TestSupport
import Testing
import Wire

@Suite("The live channel")
struct LiveChannelTests {
    @Test("every listener of a device gets its events, and nobody else")
    func fanOut() async throws {
        let bench = try NotifierBench()
        _ = try await bench.subscribe("g1", ["d1", "d2"])
        _ = try await bench.subscribe("g2", ["d1"])
        _ = try await bench.subscribe("g3", ["d3"])
        #expect(try await bench.notify(["d1", "d9"]).live == 1)
        for listener in ["g1", "g2"] {
            let reply = try await bench.listen(listener)
            #expect(reply.events.map(\.deviceID) == ["d1"])
            #expect(reply.events.first?.challengeID == "c1")
            #expect(!reply.resync)
            #expect(try await bench.listen(listener, after: reply.cursor).events.isEmpty)
        }
        #expect(try await bench.listen("g3").events.isEmpty)
    }

    @Test("a parked listener is woken at once by an event")
    func wakes() async throws {
        let bench = try NotifierBench()
        _ = try await bench.subscribe("g1", ["d1"])
        async let parked = bench.listen("g1", wait: 25_000)
        await bench.waits.reached(.seconds(25))
        try await bench.notify(["d1"])
        #expect(try await parked.events.count == 1)
        #expect(bench.waits.durations.isEmpty)
    }

    @Test("a parked listener is answered when its wait ends")
    func ends() async throws {
        let bench = try NotifierBench()
        let start = try await bench.subscribe("g1", ["d1"])
        async let parked = bench.listen("g1", after: start.cursor, wait: 25_000)
        await bench.waits.taken(.seconds(25)).resume()
        let reply = try await parked
        #expect(reply.events.isEmpty)
        #expect(!reply.resync)
        #expect(reply.cursor == start.cursor)
    }

    @Test("a newer call of the same listener takes the place of the parked one")
    func superseded() async throws {
        let bench = try NotifierBench()
        _ = try await bench.subscribe("g1", ["d1"])
        async let first = bench.listen("g1", wait: 20_000)
        await bench.waits.reached(.seconds(20))
        async let second = bench.listen("g1", wait: 25_000)
        #expect(try await first.events.isEmpty)
        await bench.waits.reached(.seconds(25))
        try await bench.notify(["d1"])
        #expect(try await second.events.count == 1)
    }

    @Test("a call that is given up leaves nothing parked")
    func canceled() async throws {
        let bench = try NotifierBench()
        _ = try await bench.subscribe("g1", ["d1"])
        let parked = Task { try await bench.listen("g1", wait: 25_000) }
        await bench.waits.reached(.seconds(25))
        parked.cancel()
        _ = try? await parked.value
        #expect(bench.waits.durations.isEmpty)
    }

    @Test("a listener that missed events is told to resync, and goes on from there")
    func overflow() async throws {
        let bench = try NotifierBench { $0.eventsPerListenerMax = 3 }
        _ = try await bench.subscribe("g1", ["d1"])
        for number in 0..<5 { try await bench.notify(["d1"], challenge: "c\(number)") }
        let missed = try await bench.listen("g1")
        #expect(missed.resync)
        #expect(missed.cursor == 5)
        try await bench.notify(["d1"], challenge: "c5")
        let reply = try await bench.listen("g1", after: missed.cursor)
        #expect(reply.events.map(\.challengeID) == ["c5"])
        #expect(!reply.resync)
    }

    @Test("a reply holds a batch, and the next goes on where it ended")
    func batches() async throws {
        let bench = try NotifierBench { $0.eventsPerReplyMax = 2 }
        _ = try await bench.subscribe("g1", ["d1"])
        for number in 0..<5 { try await bench.notify(["d1"], challenge: "c\(number)") }
        var seen: [String] = []
        var cursor: UInt64 = 0
        while true {
            let reply = try await bench.listen("g1", after: cursor)
            if reply.events.isEmpty { break }
            #expect(reply.events.count <= 2)
            seen += reply.events.map(\.challengeID)
            cursor = reply.cursor
        }
        #expect(seen == ["c0", "c1", "c2", "c3", "c4"])
    }

    @Test("a lost reply is asked for again with the old cursor only until it was acknowledged")
    func again() async throws {
        let bench = try NotifierBench()
        _ = try await bench.subscribe("g1", ["d1"])
        try await bench.notify(["d1"])
        let first = try await bench.listen("g1")
        #expect(try await bench.listen("g1") == first)
        _ = try await bench.listen("g1", after: first.cursor)
        try await bench.notify(["d1"], challenge: "c2")
        #expect(try await bench.listen("g1", after: 0).resync)
        #expect(try await bench.listen("g1", after: 99).resync)
    }

    @Test("another epoch and an unknown listener are a resync")
    func restart() async throws {
        let bench = try NotifierBench()
        _ = try await bench.subscribe("g1", ["d1"])
        #expect(try await bench.listen("g1", epoch: 6).resync)
        #expect(try await bench.listen("g1", epoch: 6).epoch == 7)
        #expect(try await bench.listen("g2").resync)
    }

    @Test("a listener that is silent for three seconds is not live, but finds what came in the meantime for a minute")
    func silence() async throws {
        let bench = try NotifierBench()
        _ = try await bench.subscribe("g1", ["d1"])
        bench.advance(.seconds(3))
        #expect(try await bench.notify(["d1"]).live == 1)
        bench.advance(.milliseconds(1))
        #expect(try await bench.notify(["d1"], challenge: "c2").live == 0)
        #expect(try await bench.listen("g1").events.map(\.challengeID) == ["c1", "c2"])
        bench.advance(.seconds(60))
        #expect(try await !bench.listen("g1").resync)
        bench.advance(.milliseconds(60_001))
        #expect(try await bench.notify(["d1"]).live == 0)
        #expect(try await bench.listen("g1").resync)
    }

    @Test("a listener whose parked call was ended for it is not live, however recently it ended")
    func killed() async throws {
        let bench = try NotifierBench()
        _ = try await bench.subscribe("g1", ["d1"])
        let parked = Task { try await bench.listen("g1", wait: 25_000) }
        await bench.waits.reached(.seconds(25))
        bench.advance(.seconds(20))
        #expect(try await bench.notify(["d2"]).live == 0)
        parked.cancel()
        _ = try? await parked.value
        #expect(try await bench.notify(["d1"]).live == 0)
        #expect(try await bench.listen("g1").events.count == 1)
    }

    @Test("a parked listener is live however long it waits")
    func parked() async throws {
        let bench = try NotifierBench()
        _ = try await bench.subscribe("g1", ["d1"])
        async let parked = bench.listen("g1", wait: 25_000)
        await bench.waits.reached(.seconds(25))
        bench.advance(.seconds(24))
        #expect(try await bench.notify(["d1"]).live == 1)
        #expect(try await parked.events.count == 1)
    }

    @Test("devices come and go, and a complete subscription replaces all")
    func subscriptions() async throws {
        let bench = try NotifierBench()
        _ = try await bench.subscribe("g1", ["d1", "d2"])
        _ = try await bench.subscribe("g1", ["d3"], remove: ["d1"])
        #expect(try await bench.notify(["d1", "d2", "d3"]).live == 2)
        _ = try await bench.subscribe("g1", ["d1"], complete: true)
        #expect(try await bench.notify(["d1", "d2", "d3"]).live == 1)
    }

    @Test("too many listeners and devices are refused")
    func bounds() async throws {
        let bench = try NotifierBench {
            $0.listenersMax = 1
            $0.devicesPerListenerMax = 2
        }
        _ = try await bench.subscribe("g1", ["d1", "d2"])
        await #expect(throws: ServiceError.self) { try await bench.subscribe("g1", ["d3"]) }
        await #expect(throws: ServiceError.self) { try await bench.subscribe("g2", ["d1"]) }
        #expect(try await bench.notify(["d1", "d2", "d3"]).live == 2)
    }

    @Test("an expired request is shown to nobody, a settled one is told at any time")
    func expired() async throws {
        let bench = try NotifierBench()
        _ = try await bench.subscribe("g1", ["d1"])
        #expect(try await bench.notify(["d1"], lifetime: .zero).live == 0)
        #expect(try await bench.notify(["d1"], event: "settled", lifetime: .seconds(-5)).live == 1)
        #expect(try await bench.listen("g1").events.map(\.event) == ["settled"])
    }
}
