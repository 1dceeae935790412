import Crypto
import CryptoExtras
import Foundation

/// A JSON Web Token as a provider reads it (RFC 7519): taken apart, and not believed before its signature was checked.
struct TokenInspection {
    let header: [String: JSONValue]
    let claims: [String: JSONValue]
    private let signed: Data
    private let signature: Data

    enum JSONValue: Decodable, Hashable {
        case text(String)
        case number(Int64)
        case other

        init(from decoder: any Decoder) throws {
            let container = try decoder.singleValueContainer()
            if let text = try? container.decode(String.self) {
                self = .text(text)
            } else if let number = try? container.decode(Int64.self) {
                self = .number(number)
            } else {
                self = .other
            }
        }

        var number: Int64? { if case .number(let number) = self { number } else { nil } }
        var text: String? { if case .text(let text) = self { text } else { nil } }
    }

    init?(_ token: some StringProtocol) {
        let parts = token.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 3, let header = Data(base64URL: parts[0]), let claims = Data(base64URL: parts[1]),
            let signature = Data(base64URL: parts[2]),
            let headerMembers = try? JSONDecoder().decode([String: JSONValue].self, from: header),
            let claimMembers = try? JSONDecoder().decode([String: JSONValue].self, from: claims)
        else { return nil }
        self.header = headerMembers
        self.claims = claimMembers
        self.signature = signature
        signed = Data("\(parts[0]).\(parts[1])".utf8)
    }

    func isES256(by key: P256.Signing.PublicKey) -> Bool {
        guard header["alg"] == .text("ES256"),
            let signature = try? P256.Signing.ECDSASignature(rawRepresentation: signature)
        else { return false }
        return key.isValidSignature(signature, for: signed)
    }

    func isRS256(by key: _RSA.Signing.PublicKey) -> Bool {
        header["alg"] == .text("RS256")
            && key.isValidSignature(
                _RSA.Signing.RSASignature(rawRepresentation: signature), for: signed, padding: .insecurePKCS1v1_5)
    }
}

extension Data {
    init?(base64URL text: some StringProtocol) {
        guard !text.contains("="), !text.contains("+"), !text.contains("/") else { return nil }
        let standard = text.replacingOccurrences(of: "-", with: "+").replacingOccurrences(of: "_", with: "/")
        self.init(base64Encoded: standard + String(repeating: "=", count: (4 - standard.utf8.count % 4) % 4))
    }

    var base64URL: String {
        base64EncodedString().replacingOccurrences(of: "+", with: "-").replacingOccurrences(of: "/", with: "_")
            .replacingOccurrences(of: "=", with: "")
    }
}
