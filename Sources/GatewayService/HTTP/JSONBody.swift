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
        try JSONScanner.check(bytes, against: Body.shape)
        return try decodeChecked(type, from: bytes)
    }

    private static func decodeChecked<Body: Decodable>(_ type: Body.Type, from bytes: [UInt8]) throws(ServiceError)
        -> Body
    {
        do {
            return try JSONDecoder().decode(type, from: Data(bytes))
        } catch let error as DecodingError {
            throw ServiceError(.malformed, detail(of: error))
        } catch {
            throw ServiceError(.malformed, "the body is not JSON")
        }
    }

    /// Any JSON value that another service wrote, to be shown as part of a document.
    static func value(_ text: String) -> JSONValue? {
        guard !text.isEmpty else { return nil }
        return (try? JSONDecoder().decode(JSONValue.self, from: Data(text.utf8))) ?? .string(text)
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
