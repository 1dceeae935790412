import Dispatch
import Testing

@testable import Secrets

@Suite struct PasswordHasherTests {
    let hasher = PasswordHasher(cost: .forTests, concurrent: 2)

    /// RFC 7914 section 12.
    @Test(
        "scrypt gives what RFC 7914 says",
        arguments: [
            ("", "", 4, 1, 1, "77d6576238657b203b19ca42c18a0497f16b4844e3074ae8dfdffa3fede21442"),
            ("password", "NaCl", 10, 8, 16, "fdbabe1c9d3472007856e7190d01e9fe7c6ad7cbc8237830e77376634b373162"),
            (
                "pleaseletmein", "SodiumChloride", 14, 8, 1,
                "7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2"
            ),
            (
                "pleaseletmein", "SodiumChloride", 20, 8, 1,
                "2101cb9b6a511aaeaddbbe09cf70f881ec568d574a2ffd4dabe5ee9820adaa47"
            ),
        ])
    func vectors(password: String, salt: String, log2N: Int, r: Int, p: Int, expected: String) throws {
        let cost = PasswordHasher.Cost(log2N: log2N, r: r, p: p)
        let derived = try Scrypt.derive(Array(password.utf8), salt: Array(salt.utf8), cost: cost, count: 64)
        #expect(derived.prefix(32).map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined() == expected)
    }

    @Test("a password has its hash, another has not, and two hashes of one password differ")
    func verify() async throws {
        let hash = try await hasher.hash(Array("correct horse".utf8))
        #expect(try await hasher.verify(Array("correct horse".utf8), against: hash))
        #expect(try await !hasher.verify(Array("correct horse ".utf8), against: hash))
        #expect(try await !hasher.verify([], against: hash))
        #expect(try await hasher.hash(Array("correct horse".utf8)) != hash)
    }

    @Test("a stored hash carries its cost, so that a later default still checks it")
    func storedCost() async throws {
        let hash = try await hasher.hash([1])
        #expect(hash.hasPrefix("$scrypt$ln=4,r=8,p=1$"))
        let later = PasswordHasher(cost: .init(log2N: 6, r: 8, p: 1), concurrent: 1)
        #expect(try await later.verify([1], against: hash))
        #expect(PasswordHasher.Cost.standard.text == "ln=17,r=8,p=1")
    }

    @Test("nobody's password is never right, not even the one whose hash the decoy would have")
    func nobody() async throws {
        #expect(try await !hasher.verify([1], against: nil))
        #expect(try await !hasher.verify([], against: nil))
    }

    @Test(
        "what this build did not write is refused",
        arguments: [
            "", "$2b$10$abc", "$scrypt$ln=4,r=8,p=1$$", "$scrypt$ln=99,r=8,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAA",
            "$scrypt$ln=4,r=8,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAA", "$scrypt$ln=4,r=8$AAAAAAAAAAAAAAAAAAAAAA$AAAA",
            "$scrypt$ln=4,r=8,p=1$AAAAAAAAAAAAAAAAAAAA!!$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        ])
    func malformed(text: String) async {
        await #expect(throws: SecretsError.notGenuine) { try await hasher.verify([1], against: text) }
    }

    @Test("as many run as there are threads, as many wait as may, and the excess is told at once")
    func concurrency() async throws {
        let lanes = HashingLanes(count: 2, waitingMax: 3)
        let gate = DispatchSemaphore(value: 0)
        let outcomes = await withTaskGroup(of: Result<[UInt8], SecretsError>.self) { group in
            for _ in 0..<9 {
                group.addTask {
                    do throws(SecretsError) {
                        return .success(
                            try await lanes.run { () throws(SecretsError) in
                                gate.wait()
                                return [1]
                            })
                    } catch {
                        return .failure(error)
                    }
                }
            }
            var outcomes: [Result<[UInt8], SecretsError>] = []
            // Four are refused while the five others are held by the gate.
            for _ in 0..<4 { if let outcome = await group.next() { outcomes.append(outcome) } }
            for _ in 0..<5 { gate.signal() }
            for await outcome in group { outcomes.append(outcome) }
            return outcomes
        }
        #expect(outcomes.prefix(4).allSatisfy { $0 == .failure(.busy) })
        #expect(outcomes.dropFirst(4).allSatisfy { $0 == .success([1]) })
        #expect(outcomes.count == 9)
    }

    @Test("who gives up while waiting frees the place")
    func cancellation() async throws {
        let lanes = HashingLanes(count: 1, waitingMax: 1)
        let gate = DispatchSemaphore(value: 0)
        let (running, runs) = AsyncStream<Void>.makeStream()
        async let first = lanes.run { () throws(SecretsError) in
            runs.finish()
            gate.wait()
            return [1]
        }
        for await _ in running {}
        let waiting = Task { () async throws -> [UInt8] in try await lanes.run { () throws(SecretsError) in [2] } }
        waiting.cancel()
        await #expect(throws: SecretsError.busy) { try await waiting.value }
        async let third = lanes.run { () throws(SecretsError) in [3] }
        gate.signal()
        #expect(try await first == [1])
        #expect(try await third == [3])
    }
}
