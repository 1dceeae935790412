import Domain
import Messaging
import Proofs
import Secrets
import Storage
import StorageSQLite
import SwiftProtobuf
import Synchronization
import TestSupport
import Testing
import VerifierService
import Wire

@Suite("Device proofs")
struct DeviceProofTests {
    @Test("a genuine proof names its device and person")
    func genuine() async throws {
        let bench = try VerifierBench()
        let reply = try await bench.verify(proof: try await bench.proof())
        #expect(reply.deviceID == "d1")
        #expect(reply.personID == "p1")
        #expect(reply.state == "active")
    }

    @Test("a proof works once, also at another instance over the same store")
    func replay() async throws {
        let bench = try VerifierBench()
        let proof = try await bench.proof()
        _ = try await bench.verify(proof: proof)
        #expect(
            await bench.failure { () async throws(ServiceError) in try await bench.verify(proof: proof) }?.code
                == .invalidProof)
        bench.bus.add(bench.service().routes)
        #expect(
            await bench.failure { () async throws(ServiceError) in try await bench.verify(proof: proof) }?.code
                == .invalidProof)
    }

    @Test("the bus may deliver the same request twice, but a caller's own key does not make a replay a repeat")
    func repeats() async throws {
        let bench = try VerifierBench()
        let proof = try await bench.proof()
        let context = bench.context()
        _ = try await bench.verify(proof: proof, context)
        _ = try await bench.verify(proof: proof, context)

        let second = try await bench.proof()
        var keyed = bench.context()
        keyed.requestID = RequestID(idempotencyDigest: contentDigest([1]))
        _ = try await bench.verify(proof: second, keyed)
        let again = keyed
        #expect(
            await bench.failure { () async throws(ServiceError) in try await bench.verify(proof: second, again) }?.code
                == .invalidProof)
    }

    @Test("the same jti raced many times is accepted once each round")
    func race() async throws {
        let bench = try VerifierBench()
        for _ in 0..<200 {
            let proof = try await bench.proof()
            let accepted = await withTaskGroup(of: Bool.self) { group in
                for _ in 0..<4 { group.addTask { (try? await bench.verify(proof: proof)) != nil } }
                return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
            }
            #expect(accepted == 1)
        }
    }

    @Test("a clock that is wrong by an hour gets an answer of its own", arguments: [-3600, 3600, -61, 61])
    func clock(_ seconds: Int) async throws {
        let bench = try VerifierBench()
        let proof = try await bench.proof(skewed: .seconds(seconds))
        #expect(
            await bench.failure { () async throws(ServiceError) in try await bench.verify(proof: proof) }?.code
                == .clockSkew)
    }

    @Test("how far a clock may be off is the tenant's choice", arguments: [10, 300])
    func skew(allowed: Int) async throws {
        let bench = try VerifierBench { $0.clockSkewSeconds = allowed }
        for seconds in [allowed, -allowed] {
            _ = try await bench.verify(proof: try await bench.proof(skewed: .seconds(seconds)))
        }
        for seconds in [allowed + 1, -allowed - 1] {
            let proof = try await bench.proof(skewed: .seconds(seconds))
            #expect(
                await bench.failure { () async throws(ServiceError) in try await bench.verify(proof: proof) }?.code
                    == .clockSkew)
        }
    }

    @Test("a forged proof uses up no identifier")
    func forged() async throws {
        let bench = try VerifierBench()
        let jti = randomBytes(16)
        let claims = DeviceProofClaims(
            method: "GET", url: "http://127.0.0.1:8080/v1/demo/devices/d1", issuedAt: bench.now, identifier: jti)
        let forged = try await claims.signed(by: SoftwareDeviceSigner(), device: DeviceID("d1"))
        #expect(
            await bench.failure { () async throws(ServiceError) in try await bench.verify(proof: forged) }?.code
                == .invalidProof)
        _ = try await bench.verify(proof: try await bench.proof(jti: jti))
    }

    @Test("a body must be covered, and only when there is one")
    func body() async throws {
        let bench = try VerifierBench()
        let covered = try await bench.proof(body: [1])
        _ = try await bench.verify(proof: covered, body: [1])
        for (signed, sent) in [([UInt8]?.none, [UInt8]?([1])), ([1], [2]), ([1], nil)] {
            let proof = try await bench.proof(body: signed)
            let error = await bench.failure { () async throws(ServiceError) in
                try await bench.verify(proof: proof, body: sent)
            }
            #expect(error?.code == .invalidProof)
        }
    }

    @Test("another device, an unknown and a removed one get one answer")
    func strangers() async throws {
        let bench = try VerifierBench()
        bench.add(device: "d2", person: "p1", key: bench.phone.publicKey)
        let other = try await bench.proof(device: "d2")
        let first = await bench.failure { () async throws(ServiceError) in try await bench.verify(proof: other) }
        bench.world.withLock { $0.devices["d1"]?.device.state = "removed" }
        let removed = try await bench.proof()
        let second = await bench.failure { () async throws(ServiceError) in try await bench.verify(proof: removed) }
        bench.world.withLock { $0.devices["d1"] = nil }
        let third = await bench.failure { () async throws(ServiceError) in try await bench.verify(proof: removed) }
        #expect(first?.code == .invalidProof)
        #expect(first == second)
        #expect(second == third)
    }

    @Test("used identifiers are purged after their window and not before")
    func purge() async throws {
        let bench = try VerifierBench()
        _ = try await bench.verify(proof: try await bench.proof())
        let service = bench.service()
        try await service.purge()
        let count: @Sendable () async throws -> Int = {
            let time = bench.now + .seconds(10_000)
            return try await bench.store.write { try $0.deleteProofIdentifiers(keptUntilBefore: time, limit: 10) }
        }
        #expect(try await count() == 1)
        _ = try await bench.verify(proof: try await bench.proof())
        bench.advance(.seconds(700))
        try await service.purge()
        #expect(try await count() == 0)
    }

    @Test("an unwatched key is believed for a second")
    func unwatched() async throws {
        let bench = try VerifierBench()
        for _ in 0..<3 { _ = try await bench.verify(proof: try await bench.proof()) }
        #expect(bench.world.withLock(\.reads) == 1)
        bench.advance(.milliseconds(1001))
        _ = try await bench.verify(proof: try await bench.proof())
        #expect(bench.world.withLock(\.reads) == 2)
    }

    @Test("a device that lacks the right to act is read each time, so that the right counts at once")
    func rights() async throws {
        let bench = try VerifierBench()
        let changes: [(inout ReadDeviceReply) -> Void] = [
            { $0.device.state = DeviceState.awaitingConfirmation.rawValue }, { $0.personBlocked = true },
        ]
        let all = try #require(bench.world.withLock { $0.devices["d1"] })
        for change in changes {
            var some = all
            change(&some)
            let before = bench.world.withLock { world in
                world.devices["d1"] = some
                return world.reads
            }
            for _ in 0..<2 { _ = try? await bench.verify(proof: try await bench.proof()) }
            #expect(bench.world.withLock(\.reads) == before + 2)
            bench.world.withLock { $0.devices["d1"] = all }
            let reply = try await bench.verify(proof: try await bench.proof())
            #expect(reply.state == DeviceState.active.rawValue)
            bench.advance(.milliseconds(1001))
        }
    }

    @Test("a phone without phone sign-in is known from memory, as others are")
    func secondFactor() async throws {
        let bench = try VerifierBench()
        bench.world.withLock { $0.devices["d1"]?.device.phoneSignIn = false }
        for _ in 0..<3 { _ = try await bench.verify(proof: try await bench.proof()) }
        _ = try await bench.verify(answer: try await bench.answer())
        #expect(bench.world.withLock(\.reads) == 1)
    }

    @Test("a watched key is believed until registration names its device")
    func watched() async throws {
        let bench = try VerifierBench()
        let service = bench.service()
        bench.bus.add(service.routes)
        let running = Task { try await service.run() }
        defer { running.cancel() }
        let watcher = await bench.nextWatcher()
        _ = try await bench.verify(proof: try await bench.proof())
        bench.advance(.seconds(50))
        _ = try await bench.verify(proof: try await bench.proof())
        #expect(bench.world.withLock(\.reads) == 1)

        bench.world.withLock { $0.devices["d1"] = nil }
        watcher.resume(
            returning: .with {
                $0.epoch = 9
                $0.revision = 2
                $0.changed = [
                    .with {
                        $0.tenant = "demo"
                        $0.deviceID = "d1"
                        $0.personID = "p1"
                    }
                ]
            })
        // The next call is parked only after this change was taken.
        let next = await bench.nextWatcher()
        let proof = try await bench.proof()
        #expect(
            await bench.failure { () async throws(ServiceError) in try await bench.verify(proof: proof) }?.code
                == .invalidProof)
        next.resume(returning: .with { $0.epoch = 9 })
        running.cancel()
        await bench.releaseWatchers(until: running)
    }
}

extension VerifierBench {
    /// The continuation of the WatchDevices call that is parked, once there is one.
    func nextWatcher() async -> CheckedContinuation<WatchDevicesReply, Never> {
        while true {
            if let watcher = world.withLock({ $0.watchers.popLast() }) { return watcher }
            await Task.yield()
        }
    }

    /// Lets parked calls go until the service has ended.
    func releaseWatchers(until running: Task<Void, any Error>) async {
        let ended = Mutex(false)
        async let end: Void = {
            _ = await running.result
            ended.withLock { $0 = true }
        }()
        while !ended.withLock({ $0 }) {
            world.withLock { $0.watchers.popLast() }?.resume(returning: .with { $0.epoch = 9 })
            await Task.yield()
        }
        await end
    }
}
