import CryptoExtras
package import Domain
import Foundation

/// The service account by which Firebase Cloud Messaging knows us: the JSON file that Google gives for it.
package struct FCMServiceAccount: Sendable {
    static let scope = "https://www.googleapis.com/auth/firebase.messaging"
    /// The longest that Google takes.
    static let assertionLifetime = Duration.seconds(3600)

    package let projectID: String
    package let clientEmail: String
    /// Where access tokens are given, and the assertion's audience.
    package let tokenURL: String
    private let keyID: String
    private let key: _RSA.Signing.PrivateKey

    /// Nil when the file is no service account's, or its key no RSA key of at least 2048 bits.
    package init?(file: Redacted<[UInt8]>) {
        struct Members: Decodable {
            let type: String
            let projectId: String
            let privateKeyId: String
            let privateKey: String
            let clientEmail: String
            let tokenUri: String
        }
        guard let members = try? JSONDecoder.snakeCase.decode(Members.self, from: Data(file.value)),
            members.type == "service_account", members.tokenUri.hasPrefix("https://"),
            let key = try? _RSA.Signing.PrivateKey(pemRepresentation: members.privateKey)
        else { return nil }
        projectID = members.projectId
        clientEmail = members.clientEmail
        tokenURL = members.tokenUri
        keyID = members.privateKeyId
        self.key = key
    }

    /// The signed request for an access token (RFC 7523 section 2.1).
    func assertion(issuedAt: Timestamp) throws -> String {
        struct Header: Encodable {
            let alg = "RS256"
            let typ = "JWT"
            let kid: String
        }
        struct Claims: Encodable {
            let iss: String
            let scope = FCMServiceAccount.scope
            let aud: String
            let iat: Int64
            let exp: Int64
        }
        return try ProviderToken.rs256(
            Header(kid: keyID),
            Claims(
                iss: clientEmail, aud: tokenURL, iat: issuedAt.seconds,
                exp: (issuedAt + Self.assertionLifetime).seconds),
            key: key)
    }
}

extension JSONDecoder {
    /// Google's names have words with `_` between them.
    static var snakeCase: JSONDecoder {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        return decoder
    }
}
