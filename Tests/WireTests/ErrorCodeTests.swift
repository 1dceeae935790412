import Domain
import Foundation
import SwiftProtobuf
import Testing
import Wire

@Suite("Error codes")
struct ErrorCodeTests {
    @Test("number, case and public name belong together one to one")
    func unique() {
        #expect(Set(ErrorCode.allCases.map(\.rawValue)).count == ErrorCode.allCases.count)
        #expect(Set(ErrorCode.allCases.map(\.name)).count == ErrorCode.allCases.count)
        for code in ErrorCode.allCases { #expect(ErrorCode(rawValue: code.rawValue) == code) }
    }

    @Test("public names are lower-case words with underscores")
    func names() {
        for code in ErrorCode.allCases {
            #expect(code.name.wholeMatch(of: /[a-z]+(_[a-z]+)*/) != nil, "\(code)")
        }
    }

    @Test(
        "numbers and names of the wire never change",
        arguments: [
            (1 as UInt32, "malformed"), (2, "unknown_member"), (10, "not_authenticated"), (11, "invalid_credentials"),
            (12, "invalid_proof"), (13, "clock_skew"), (20, "refused"), (21, "update_required"), (30, "not_found"),
            (31, "method_not_allowed"), (40, "already_exists"), (41, "already_redeemed"), (42, "not_approved"),
            (43, "settled"), (44, "single_tenant"), (45, "ticket_used"), (46, "too_many_devices"),
            (47, "too_many_activations"), (48, "idempotency_key_used"), (49, "conflict"), (50, "expired"),
            (60, "precondition_failed"), (61, "precondition_required"), (70, "too_large"),
            (71, "unsupported_media_type"), (80, "invalid_code"), (81, "invalid_username"),
            (82, "unknown_application"), (83, "idempotency_mismatch"), (84, "out_of_range"), (85, "unknown_target"),
            (86, "invalid_value"), (90, "too_many_attempts"), (100, "unavailable"), (101, "overloaded"),
            (110, "internal"),
        ])
    func fixed(_ number: UInt32, _ name: String) { #expect(ErrorCode(rawValue: number)?.name == name) }

    @Test("the list above has every code")
    func complete() { #expect(ErrorCode.allCases.count == 36) }

    @Test("a number that this build does not know is none of its codes, and 0 is success")
    func unknown() {
        let known = Set(ErrorCode.allCases.map(\.rawValue))
        for number in (0...70_000 as ClosedRange<UInt32>) where !known.contains(number) {
            #expect(ErrorCode(rawValue: number) == nil)
        }
        #expect(ErrorCode(rawValue: 0) == nil && ErrorCode(rawValue: .max) == nil)
    }

    @Test("an error survives the wire with its detail, its advice and its members", arguments: ErrorCode.allCases)
    func roundTrip(_ code: ErrorCode) throws {
        let errors = [
            ServiceError(code),
            ServiceError(code, "a sentence", retryAfter: .milliseconds(1), members: ["minimum": "8.0"]),
            ServiceError(code, "a sentence", retryAfter: .seconds(86_400 * 365)),
        ]
        for error in errors {
            let body: [UInt8] = try error.failure.serializedBytes()
            #expect(ServiceError(code, failure: try Failure(serializedBytes: body)) == error)
        }
    }

    @Test("advice that no clock can hold is clamped, in both directions")
    func clamped() {
        let longest = Failure.with { $0.retryAfterMs = .max }
        let error = ServiceError(.unavailable, failure: longest)
        #expect(error.retryAfter == .milliseconds(Int64.max))
        #expect(error.failure.retryAfterMs == UInt64(Int64.max))
        #expect(ServiceError(.unavailable, retryAfter: .seconds(-1)).failure.retryAfterMs == 0)
        #expect(ServiceError(.unavailable, failure: Failure()).retryAfter == nil)
    }

    @Test(
        "only an unavailable callee leaves the outcome unknown, and only when it says so", arguments: ErrorCode.allCases
    )
    func outcome(_ code: ErrorCode) {
        #expect(!ServiceError(code).isOutcomeUnknown)
        #expect(ServiceError(code, members: ["outcome": "unknown"]).isOutcomeUnknown == (code == .unavailable))
    }

    @Test("what is logged of an error is its name and its neutral sentence")
    func description() {
        #expect("\(ServiceError(.notFound, "no such sign-in", members: ["a": "b"]))" == "not_found: no such sign-in")
        #expect("\(ServiceError(.tooManyAttempts))" == "too_many_attempts")
    }
}
