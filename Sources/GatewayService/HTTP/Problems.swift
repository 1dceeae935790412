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
        let (number, sentence) = kind(of: error.code, at: place)
        // Knows the phrase of each code.
        let status = HTTPResponse.Status(integerLiteral: number)
        // `outcome` is for the gateway: the caller learns from Idempotency-Key whether the request had its effect.
        let members = error.members.filter { $0.key != "outcome" }
        let document = ProblemDocument(
            code: error.code.name, title: status.reasonPhrase, status: number, detail: detail(of: error, sentence),
            requestId: requestID.description,
            members: members)
        var headers: HTTPFields = [.contentType: APIMedia.problem]
        if number == 401, let challenge { headers[.wwwAuthenticate] = challenge }
        if number == 429 || number == 503 { headers[.retryAfter] = String(seconds(error.retryAfter)) }
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

    private static func kind(of code: ErrorCode, at place: Place) -> (status: Int, sentence: String) {
        switch code {
        case .malformed: (400, "The request is malformed")
        case .unknownMember: (400, "The request has a member that is not known")
        case .notAuthenticated: (401, "Authentication is needed")
        case .invalidCredentials: (401, "The credentials are not valid")
        case .invalidProof: (401, "The proof is not valid")
        case .clockSkew: (401, "The device's clock is wrong")
        case .refused: (403, "The request is refused")
        case .updateRequired: (place == .activation ? 422 : 403, "The device needs an update")
        case .notFound: (404, "There is no such thing")
        case .methodNotAllowed: (405, "The method is not allowed here")
        case .alreadyExists: (409, "It exists already")
        case .alreadyRedeemed: (409, "The sign-in has been redeemed")
        case .notApproved: (409, "The sign-in is not approved")
        case .settled: (409, "The request is settled")
        case .singleTenant: (409, "The device has phone sign-in in another tenant")
        case .ticketUsed: (409, "The ticket has been used")
        case .tooManyDevices: (409, "The person has too many devices")
        case .tooManyActivations: (409, "The person has too many open activations")
        case .idempotencyKeyUsed: (409, "The idempotency key has been used")
        case .conflict: (409, "Another change came first")
        case .expired: (410, "It has expired")
        case .preconditionFailed: (412, "The document has changed")
        case .preconditionRequired: (428, "If-Match is needed")
        case .tooLarge: (413, "The body is too large")
        case .unsupportedMediaType: (415, "The content type is not supported")
        case .invalidCode: (422, "The code is not accepted")
        case .invalidUsername: (422, "The user name is not valid")
        case .unknownApplication: (422, "The application is not known")
        case .idempotencyMismatch: (422, "The idempotency key belongs to another request")
        case .outOfRange: (422, "A value is out of range")
        case .unknownTarget: (422, "A target is not known")
        case .invalidValue: (422, "A value is not acceptable")
        case .tooManyAttempts: (429, "Too many attempts")
        case .unavailable, .overloaded: (503, "Temporarily unavailable")
        case .internal: (500, "Something went wrong")
        }
    }
}
