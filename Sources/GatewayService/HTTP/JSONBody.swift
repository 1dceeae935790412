import DeviceAPI
import Domain
import Wire

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// JSON in and out: the only place that knows how bodies are decoded.
enum JSONBody {
    /// Throws `malformed` or `unknown_member`.
    static func decode<Body: APIRequest>(_ type: Body.Type, from bytes: [UInt8]) throws(ServiceError) -> Body {
        try check(bytes, against: Body.shape)
        do {
            return try JSONDecoder().decode(type, from: Data(bytes))
        } catch let error as DecodingError {
            throw ServiceError(.malformed, detail(of: error))
        } catch {
            throw ServiceError(.malformed, "the body is not JSON")
        }
    }

    /// Throws `malformed` unless the text is one JSON object in which no two readers could see two documents, and `unknown_member`,
    /// with its path, for a member that the body does not have.
    static func check(_ bytes: [UInt8], against shape: DocumentShape) throws(ServiceError) {
        let body: JSONValue
        do { body = try JSONValue(parsing: bytes) } catch {
            throw ServiceError(.malformed, error.detail(of: "the body"))
        }
        guard body.members != nil else { throw ServiceError(.malformed, "the body is not a JSON object") }
        do { try shape.check(body) } catch { throw ServiceError(error) }
    }

    /// Any JSON value that another service wrote, to be shown as part of a document.
    static func value(_ text: String) -> JSONValue? {
        guard !text.isEmpty else { return nil }
        return (try? JSONValue(parsing: text)) ?? .string(text)
    }

    private static func detail(of error: DecodingError) -> String {
        func path(_ context: DecodingError.Context, _ last: (any CodingKey)? = nil) -> String {
            let names = (context.codingPath + (last.map { [$0] } ?? [])).map(\.stringValue)
            return names.isEmpty ? "the body" : "the member \(names.joined(separator: "."))"
        }
        return switch error {
        case .keyNotFound(let key, let context): "\(path(context, key)) is missing"
        case .typeMismatch(_, let context): "\(path(context)) has the wrong type"
        case .valueNotFound(_, let context): "\(path(context)) is null"
        case .dataCorrupted(let context) where !context.codingPath.isEmpty:
            "\(path(context)) has a value that is not allowed"
        default: "the body is not JSON"
        }
    }
}
