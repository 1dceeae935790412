import Proofs
import Secrets
import ServiceKit

/// The token of whoever runs the installation: it creates tenants. It is in a file of its own, readable by its owner alone.
struct OperatorToken: Sendable {
    private static let fileBytesMax = 256

    let digest: [UInt8]

    /// Reads the token, and makes one first when there is no file. Throws `file` with the path and what is wrong with it, never with
    /// what is in it.
    init(file path: String, randomBytes: (Int) -> [UInt8]) throws(ConfigurationProblem) {
        let bytes: [UInt8]
        do {
            bytes = try PrivateFile.read(path, bytesMax: Self.fileBytesMax) {
                Array((Base64URL.random(PolicyConfiguration.secretBytes, randomBytes) + "\n").utf8)
            }
        } catch {
            throw ConfigurationProblem(error)
        }
        let text = bytes.filter { $0 != 0x0A && $0 != 0x0D }
        guard Base64URL.decode(String(decoding: text, as: UTF8.self))?.count == PolicyConfiguration.secretBytes else {
            throw .file(
                path: path, detail: "holds no operator's token: remove it, and the next start makes another one")
        }
        digest = sha256(text)
    }

    func isGenuine(_ digest: [UInt8]) -> Bool { constantTimeEquals(digest, self.digest) }
}
