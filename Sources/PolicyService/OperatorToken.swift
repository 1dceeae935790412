import Proofs
import Secrets

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// The token of whoever runs the installation: it creates tenants. It is in a file of its own, readable by its owner alone.
struct OperatorToken: Sendable {
    enum Fault: Error, Hashable, Sendable {
        case notReadable(errno: Int32)
        case notWritable(errno: Int32)
        /// Others than the owner may read or write the file.
        case openToOthers
        /// Not 256 bits of base64url.
        case notAToken
    }

    let digest: [UInt8]

    /// Reads the token, or makes one when there is no file.
    init(file path: String, randomBytes: (Int) -> [UInt8]) throws(Fault) {
        if let token = try Self.made(at: path, randomBytes) {
            digest = sha256(Array(token.utf8))
        } else {
            digest = sha256(Array(try Self.token(in: path).utf8))
        }
    }

    func isGenuine(_ digest: [UInt8]) -> Bool { constantTimeEquals(digest, self.digest) }

    /// Nil when there is a file already: `O_EXCL` lets one of two starting processes make it.
    private static func made(at path: String, _ randomBytes: (Int) -> [UInt8]) throws(Fault) -> String? {
        let file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard file >= 0 else {
            if errno == EEXIST { return nil }
            throw .notWritable(errno: errno)
        }
        defer { close(file) }
        let token = Base64URL.random(PolicyConfiguration.secretBytes, randomBytes)
        let line = Array((token + "\n").utf8)
        guard write(file, line, line.count) == line.count, fsync(file) == 0 else {
            let code = errno
            unlink(path)
            throw .notWritable(errno: code)
        }
        return token
    }

    private static func token(in path: String) throws(Fault) -> String {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { throw .notReadable(errno: errno) }
        defer { close(file) }
        var status = stat()
        guard fstat(file, &status) == 0 else { throw .notReadable(errno: errno) }
        guard status.st_mode & 0o077 == 0 else { throw .openToOthers }
        var bytes = [UInt8](repeating: 0, count: 256)
        let count = read(file, &bytes, bytes.count)
        guard count >= 0 else { throw .notReadable(errno: errno) }
        let text = String(decoding: bytes[..<count].filter { $0 != 0x0A && $0 != 0x0D }, as: UTF8.self)
        guard Base64URL.decode(text)?.count == PolicyConfiguration.secretBytes else { throw .notAToken }
        return text
    }
}
