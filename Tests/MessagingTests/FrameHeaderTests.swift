import Domain
import TestSupport
import Testing

@testable import Messaging

@Suite("Frame headers")
struct FrameHeaderTests {
    private var sample: FrameHeader {
        var header = FrameHeader(.request)
        header.flags = FrameHeader.Flags.idempotent
        header.sequence = 0x0102_0304_0506_0708
        header.requestID = RequestID(high: 0x1112_1314_1516_1718, low: 0x2122_2324_2526_2728)
        header.deadlineMicroseconds = 2_000_000
        header.method = 101
        header.attempt = 1
        header.status = 7
        header.trace = TraceContext(
            traceHigh: 0x3132_3334_3536_3738, traceLow: 0x4142_4344_4546_4748, span: 5, sampled: true)
        header.sender = InstanceID(rawValue: 0x51)
        header.creditLimit = 512
        header.load = 0x0003_0004
        header.originID = RequestID(high: 0x6162_6364_6566_6768, low: 0x7172_7374_7576_7778)
        return header
    }

    private func encode(_ header: FrameHeader, body: [UInt8] = []) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: header.encodedBytes)
        bytes.withUnsafeMutableBytes { header.encode(bodyBytes: body.count, into: $0) }
        return bytes + body
    }

    private func decode(_ bytes: [UInt8]) throws -> (header: FrameHeader, body: Range<Int>) {
        try bytes.withUnsafeBytes { try FrameHeader.decode($0) }
    }

    @Test("the bytes are what the protocol document says")
    func golden() {
        let expected =
            "515a" + "01" + "00" + "03" + "05" + "7400" + "0807060504030201" + "11121314151617182122232425262728"
            + "80841e0000000000" + "6500" + "0100" + "07000000" + "31323334353637384142434445464748"
            + "0500000000000000"
            + "5100000000000000" + "0002000000000000" + "04000300" + "02000000" + "01001000"
            + "61626364656667687172737475767778" + "abcd"
        #expect(
            encode(sample, body: [0xAB, 0xCD]).map { byte in (byte < 16 ? "0" : "") + String(byte, radix: 16) }.joined()
                == expected)
    }

    @Test("what was encoded is what is decoded, for every type")
    func roundTrip() throws {
        for type in FrameType.allCases {
            var header = sample
            header.type = type
            let decoded = try decode(encode(header, body: [1, 2, 3]))
            #expect(decoded.header == header)
            #expect(decoded.body == header.encodedBytes..<header.encodedBytes + 3)
        }
    }

    @Test("an unknown extension is passed over")
    func unknownExtension() throws {
        var bytes = encode(FrameHeader(.heartbeat)) + [9, 0, 2, 0, 0xAA, 0xBB]
        bytes[6] = 102
        #expect(try decode(bytes).header == FrameHeader(.heartbeat))
    }

    @Test(
        "each way of being wrong is told apart",
        arguments: [
            (0, 0x00, FrameError.notOurs), (2, 0x02, .version(2)), (4, 0x63, .unknownType), (6, 0x5F, .malformed),
            (6, 0xFF, .malformed),
            (92, 0x01, .malformed), (96, 0x01, .malformed),
        ] as [(Int, UInt8, FrameError)])
    func wrong(offset: Int, value: UInt8, error: FrameError) {
        var bytes = encode(sample)
        bytes[offset] = value
        if offset == 96 { bytes[98] = value }
        #expect(throws: error) { try decode(bytes) }
    }

    @Test("a thousand malformed frames: none traps, and what is accepted adds up")
    func malformed() {
        var random = SeededGenerator(seed: 42)
        for round in 0..<1_000 {
            var bytes = encode(sample, body: [UInt8](repeating: 7, count: Int.random(in: 0...64, using: &random)))
            switch round % 4 {
            case 0:
                bytes = (0..<Int.random(in: 0...200, using: &random)).map { _ in
                    UInt8.random(in: 0...255, using: &random)
                }
            case 1: bytes.removeLast(Int.random(in: 1...bytes.count, using: &random))
            case 2: bytes += [0]
            default:
                for _ in 0..<3 {
                    bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
                }
            }
            guard let decoded = try? decode(bytes) else { continue }
            #expect(decoded.body.upperBound == bytes.count && decoded.body.lowerBound >= FrameHeader.bytes)
            #expect(round % 4 == 3, "cut, lengthened or random bytes are never a frame")
            _ = bytes.withUnsafeBytes { HelloBody(UnsafeRawBufferPointer(rebasing: $0[decoded.body])) }
            _ = bytes.withUnsafeBytes { ReadyBody(UnsafeRawBufferPointer(rebasing: $0[decoded.body])) }
        }
    }

    @Test("the bodies of HELLO and READY are read as they were written, and cut ones are refused")
    func bodies() {
        let (hello, ready) = (HelloBody(service: "gateway"), ReadyBody(service: "policy", heartbeatMilliseconds: 1_000))
        #expect(hello.encoded().withUnsafeBytes { HelloBody($0) } == hello)
        #expect(ready.encoded().withUnsafeBytes { ReadyBody($0) } == ready)
        for count in 0..<ready.encoded().count {
            #expect(ready.encoded().prefix(count).withUnsafeBytes { ReadyBody($0) } == nil)
        }
    }
}
