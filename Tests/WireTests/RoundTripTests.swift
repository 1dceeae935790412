import Foundation
import SwiftProtobuf
import Testing
import Wire

/// Bytes that set every member of every message, whatever its type: each number is there as a varint and with a
/// length, and what follows the length is text, bytes and a message at once. A reader skips the form that is not its own.
enum FullBody {
    private static let fieldNumberMax = 40

    static func bytes() -> [UInt8] {
        // Field 1 with a length, three deep: also a message whose first member is text.
        let payload: [UInt8] = [0x0A, 4, 0x0A, 2, 0x0A, 0]
        var bytes: [UInt8] = []
        for number in 1...fieldNumberMax {
            bytes += tag(number, 0)
            bytes.append(1)
            bytes += tag(number, 2)
            bytes.append(UInt8(payload.count))
            bytes += payload
        }
        return bytes
    }

    static func tag(_ number: Int, _ wireType: Int) -> [UInt8] {
        let value = number << 3 | wireType
        return value < 128 ? [UInt8(value)] : [UInt8(value & 127 | 128), UInt8(value >> 7)]
    }
}

@Suite("Messages on the wire")
struct RoundTripTests {
    private func filled<Body: Message>(_ type: Body.Type) throws -> Body {
        var body = try Body(serializedBytes: FullBody.bytes())
        body.unknownFields = UnknownStorage()
        return body
    }

    private func check<Body: Message>(_ type: Body.Type) throws {
        let full = try filled(type)
        let bytes: [UInt8] = try full.serializedBytes()
        #expect(try Body(serializedBytes: bytes).isEqualTo(message: full), "\(type)")
        #expect(try Body(serializedBytes: [UInt8]()).isEqualTo(message: Body()), "\(type)")
        // Additions only: a member of a later version is passed over.
        var later = FullBody.tag(1000, 2)
        later.append(3)
        later += Array("new".utf8)
        later += bytes
        var read = try Body(serializedBytes: later)
        read.unknownFields = UnknownStorage()
        #expect(read.isEqualTo(message: full), "\(type)")
        // Only `Empty` has nothing to set.
        #expect(full.isEqualTo(message: Body()) == (type == Wire.Empty.self), "\(type)")
    }

    private func checkBoth<Request: ServiceRequest>(_ type: Request.Type) throws {
        try check(type)
        try check(Request.Reply.self)
    }

    @Test("every request and every reply survives the wire with all of its members set")
    func roundTrips() throws { for type in RequestTable.all { try checkBoth(type) } }

    @Test("the body that sets everything does: it is checked against messages whose members are known")
    func fullBody() throws {
        let begin = try filled(BeginChallenge.self)
        #expect(!begin.tenant.isEmpty && !begin.username.isEmpty && !begin.factor.isEmpty)
        #expect(begin.hasContext && !begin.context.ipAddress.isEmpty && begin.hasOwner && begin.anyModeCode)
        let reply = try filled(BeginChallengeReply.self)
        #expect(reply.createdAtMs == 1 && reply.expiresAtMs == 1 && !reply.methods.isEmpty)
        let failure = try filled(Failure.self)
        #expect(failure.retryAfterMs == 1 && !failure.members.isEmpty)
    }

    @Test("values at the edges of their types survive")
    func edges() throws {
        let outcome = OutcomeReply.with {
            $0.id = "🔑 \u{0} \u{10FFFF}"
            $0.expiresAtMs = .min
        }
        let settle = Settle.with {
            $0.deviceKey = Data(0...255)
            $0.signedAtMs = .max
            $0.answer = String(repeating: "a", count: 100_000)
        }
        let wait = AwaitOutcome.with { $0.waitMs = .max }
        #expect(try OutcomeReply(serializedBytes: outcome.serializedBytes() as [UInt8]) == outcome)
        #expect(try Settle(serializedBytes: settle.serializedBytes() as [UInt8]) == settle)
        #expect(try AwaitOutcome(serializedBytes: wait.serializedBytes() as [UInt8]) == wait)
    }

    @Test("an absent password and an empty one are two things")
    func presence() throws {
        let absent = SubmitCode()
        let empty = SubmitCode.with { $0.password = Data() }
        #expect(try !SubmitCode(serializedBytes: absent.serializedBytes() as [UInt8]).hasPassword)
        #expect(try SubmitCode(serializedBytes: empty.serializedBytes() as [UInt8]).hasPassword)
    }
}
