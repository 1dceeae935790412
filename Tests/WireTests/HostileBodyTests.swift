import SwiftProtobuf
import TestSupport
import Testing
import Wire

@Suite("Hostile bodies")
struct HostileBodyTests {
    /// Reads a body as every request and reply there is: it throws, or what was read can be written again.
    private func read<Request: ServiceRequest>(_ body: [UInt8], as type: Request.Type) throws {
        if let request = try? Request(serializedBytes: body) { _ = try request.serializedBytes() as [UInt8] }
        if let reply = try? Request.Reply(serializedBytes: body) { _ = try reply.serializedBytes() as [UInt8] }
    }

    private func readAsAll(_ body: [UInt8]) throws { for type in RequestTable.all { try read(body, as: type) } }

    @Test("random bytes never trap a reader")
    func random() throws {
        var generator = SeededGenerator(seed: 11)
        for _ in 0..<1_000 {
            try readAsAll(generator.bytes(Int.random(in: 0...120, using: &generator)))
        }
    }

    @Test("a body that was changed, cut or doubled anywhere never traps a reader")
    func changed() throws {
        var generator = SeededGenerator(seed: 12)
        let whole = FullBody.bytes()
        for _ in 0..<300 {
            var body = whole
            for _ in 0..<Int.random(in: 1...4, using: &generator) {
                body[Int.random(in: body.indices, using: &generator)] = UInt8.random(in: 0...255, using: &generator)
            }
            body.removeLast(Int.random(in: 0..<body.count, using: &generator))
            try readAsAll(body)
        }
    }

    @Test(
        "lengths that lie, endless varints and deep nesting are refused",
        arguments: [
            [0x0A, 0xFF, 0xFF, 0xFF, 0xFF, 0x07], [0x0A, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01],
            [0x0A, 0x05, 0x61], [0x0A], [0x08], Array(repeating: 0xFF, count: 64), [0x00, 0x00], [0x0F, 0x01],
            [0x0A, 0x02, 0xC3, 0x28], Array(repeating: 0x0B, count: 100_000), [0x0C],
        ] as [[UInt8]])
    func refused(_ body: [UInt8]) {
        #expect(throws: (any Error).self) { try BeginChallenge(serializedBytes: body) }
    }

    @Test("a refusal's body that cannot be read is no refusal of another kind")
    func failure() {
        #expect(throws: (any Error).self) { try Failure(serializedBytes: [0x0A, 0x02, 0xC3, 0x28] as [UInt8]) }
    }
}
