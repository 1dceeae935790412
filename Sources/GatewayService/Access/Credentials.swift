import DeviceAPI
import HTTPTypes
import Secrets

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// What `Authorization` holds.
enum Credentials: Sendable {
    case basic(id: String, secret: String)
    case bearer(String)
    case deviceProof(String)
    case none
    /// A scheme that is not known, or text that does not fit its scheme.
    case unreadable

    init(_ headers: HTTPFields) {
        guard let text = headers[.authorization] else {
            self = .none
            return
        }
        let parts = text.split(separator: " ", maxSplits: 1)
        guard parts.count == 2 else {
            self = .unreadable
            return
        }
        let value = Substring(parts[1]).trimmed
        switch parts[0].lowercased() {
        case "bearer": self = .bearer(value)
        case APIHeaders.deviceProofScheme.lowercased(): self = .deviceProof(value)
        case "basic": self = Self.basic(value)
        default: self = .unreadable
        }
    }

    /// RFC 7617: base64 of id, colon, secret.
    private static func basic(_ text: String) -> Credentials {
        guard let data = Data(base64Encoded: text), let pair = String(validating: data, as: UTF8.self),
            let colon = pair.firstIndex(of: ":"), !pair.utf8.contains(0)
        else { return .unreadable }
        return .basic(id: String(pair[..<colon]), secret: String(pair[pair.index(after: colon)...]))
    }
}
