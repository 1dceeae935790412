import Testing

@testable import Secrets

@Suite("Fingerprints") struct FingerprintTests {
    private let first = SealingKey([UInt8](repeating: 1, count: 32))
    private let second = SealingKey([UInt8](repeating: 2, count: 32))

    @Test("the same text has the same fingerprint, another text another one")
    func sameText() throws {
        let sealer = try Sealer([first])
        let fingerprint = sealer.fingerprint([1, 2, 3])
        #expect(fingerprint == sealer.fingerprint([1, 2, 3]))
        #expect(sealer.isFingerprint(fingerprint, of: [1, 2, 3]))
        #expect(!sealer.isFingerprint(fingerprint, of: [1, 2, 4]))
        #expect(!sealer.isFingerprint([], of: []))
    }

    @Test("without the key a guess cannot be tried")
    func keyed() throws {
        let fingerprint = try Sealer([first]).fingerprint([1, 2, 3])
        #expect(try Sealer([second]).fingerprint([1, 2, 3]) != fingerprint)
        #expect(Array(fingerprint.dropFirst(SealingKey.idBytes)) != sha256([1, 2, 3]))
        #expect(try !Sealer([second]).isFingerprint(fingerprint, of: [1, 2, 3]))
    }

    @Test("after a new key was put in front, what the old one marked is still recognised")
    func rotation() throws {
        let fingerprint = try Sealer([first]).fingerprint([7])
        #expect(try Sealer([second, first]).isFingerprint(fingerprint, of: [7]))
    }
}
