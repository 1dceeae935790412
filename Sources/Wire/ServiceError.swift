import Domain
import SwiftProtobuf

/// The refusal of one request, between services and up to the gateway.
///
/// `detail` and `members` reach the caller of the public API: one neutral sentence, and nothing that tells whether a person
/// exists. What only operators may know goes to the log where it happened.
package struct ServiceError: Error, Sendable, CustomStringConvertible {
    package let code: ErrorCode
    package let detail: String
    package let retryAfter: Duration?
    package let members: [String: String]
    /// Whether another process logs why, because it replied with it or has the request in hand: who carries it on has nothing to add. No
    /// part of what it says.
    package private(set) var isToldElsewhere = false

    package init(_ code: ErrorCode, _ detail: String = "", retryAfter: Duration? = nil, members: [String: String] = [:])
    {
        self.code = code
        self.detail = detail
        self.retryAfter = retryAfter
        self.members = members
    }

    package var description: String { detail.isEmpty ? code.name : "\(code.name): \(detail)" }

    /// Whether the request may have had its effect although no reply came.
    package var isOutcomeUnknown: Bool { code == .unavailable && members["outcome"] == "unknown" }

    /// The body of a reply with this error.
    package var failure: Failure {
        Failure.with {
            $0.detail = detail
            $0.retryAfterMs = UInt64(clamping: (retryAfter ?? .zero).milliseconds)
            $0.members = members
        }
    }

    package init(_ code: ErrorCode, failure: Failure) {
        self.init(
            code, failure.detail,
            retryAfter: failure.retryAfterMs == 0 ? nil : .milliseconds(Int64(clamping: failure.retryAfterMs)),
            members: failure.members)
        isToldElsewhere = true
    }

    /// The same, of which the process that has the request in hand tells why.
    package func toldElsewhere() -> ServiceError {
        var error = self
        error.isToldElsewhere = true
        return error
    }
}

extension ServiceError: Hashable {
    package static func == (one: ServiceError, other: ServiceError) -> Bool {
        (one.code, one.detail, one.retryAfter) == (other.code, other.detail, other.retryAfter)
            && one.members == other.members
    }

    package func hash(into hasher: inout Hasher) {
        hasher.combine(code)
        hasher.combine(detail)
    }
}
