import DeviceAPI
import Domain
import HTTPTypes
import Wire

/// How an error is told on the internet: a status, a code of the closed list, and a neutral sentence.
enum Problems {
    /// Where an error arose, for the one code whose status depends on it.
    enum Place: Sendable { case activation, elsewhere }

    /// A refusal with headers of its own, as the 405 that names what is allowed.
    struct Refusal: Error {
        let error: ServiceError
        let headers: HTTPFields
    }

    static func reply(to error: ServiceError, at place: Place, requestID: Domain.RequestID, challenge: String?) throws
        -> Reply
    {
        let (status, sentence) = kind(of: error.code, at: place)
        // `outcome` is for the gateway: the caller learns from Idempotency-Key whether the request had its effect.
        let members = error.members.filter { $0.key != "outcome" }
        let document = ProblemDocument(
            code: error.code.name, title: status.reasonPhrase, status: status.code, detail: detail(of: error, sentence),
            requestId: requestID.description,
            members: members)
        var headers: HTTPFields = [.contentType: APIMedia.problem]
        if status == .unauthorized, let challenge { headers[.wwwAuthenticate] = challenge }
        if status == .tooManyRequests || status == .serviceUnavailable {
            headers[.retryAfter] = String(seconds(error.retryAfter))
        }
        return Reply(status, headers: headers, body: .bytes(try JSONWriter.bytes(of: document)))
    }

    private static func detail(of error: ServiceError, _ sentence: String) -> String {
        switch error.code {
        // What went wrong inside may hold anything; the log has it under the request id.
        case .internal, .overloaded, .unavailable: sentence
        default: error.detail.isEmpty ? sentence : error.detail
        }
    }

    /// Retry-After is in whole seconds (RFC 9110 section 10.2.3): rounded up, never 0.
    private static func seconds(_ duration: Duration?) -> Int64 {
        max(1, ((duration ?? .seconds(1)).milliseconds + 999) / 1000)
    }

    private static func kind(of code: ErrorCode, at place: Place) -> (status: HTTPResponse.Status, sentence: String) {
        switch code {
        case .malformed: (.badRequest, "The request is malformed")
        case .unknownMember: (.badRequest, "The request has a member that is not known")
        case .notAuthenticated: (.unauthorized, "Authentication is needed")
        case .invalidCredentials: (.unauthorized, "The credentials are not valid")
        case .invalidProof: (.unauthorized, "The proof is not valid")
        case .clockSkew: (.unauthorized, "The device's clock is wrong")
        case .refused: (.forbidden, "The request is refused")
        case .updateRequired: (place == .activation ? .unprocessableContent : .forbidden, "The device needs an update")
        case .notFound: (.notFound, "There is no such thing")
        case .methodNotAllowed: (.methodNotAllowed, "The method is not allowed here")
        case .alreadyExists: (.conflict, "It exists already")
        case .alreadyRedeemed: (.conflict, "The sign-in has been redeemed")
        case .notApproved: (.conflict, "The sign-in is not approved")
        case .settled: (.conflict, "The request is settled")
        case .singleTenant: (.conflict, "The device has phone sign-in in another tenant")
        case .ticketUsed: (.conflict, "The ticket has been used")
        case .tooManyDevices: (.conflict, "The person has too many devices")
        case .tooManyActivations: (.conflict, "The person has too many open activations")
        case .idempotencyKeyUsed: (.conflict, "The idempotency key has been used")
        case .conflict: (.conflict, "Another change came first")
        case .expired: (.gone, "It has expired")
        case .preconditionFailed: (.preconditionFailed, "The document has changed")
        case .preconditionRequired: (.preconditionRequired, "If-Match is needed")
        case .tooLarge: (.contentTooLarge, "The body is too large")
        case .unsupportedMediaType: (.unsupportedMediaType, "The content type is not supported")
        case .invalidCode: (.unprocessableContent, "The code is not accepted")
        case .invalidUsername: (.unprocessableContent, "The user name is not valid")
        case .unknownApplication: (.unprocessableContent, "The application is not known")
        case .idempotencyMismatch: (.unprocessableContent, "The idempotency key belongs to another request")
        case .outOfRange: (.unprocessableContent, "A value is out of range")
        case .unknownTarget: (.unprocessableContent, "A target is not known")
        case .invalidValue: (.unprocessableContent, "A value is not acceptable")
        case .tooManyAttempts: (.tooManyRequests, "Too many attempts")
        case .unavailable, .overloaded: (.serviceUnavailable, "Temporarily unavailable")
        case .internal: (.internalServerError, "Something went wrong")
        }
    }
}
