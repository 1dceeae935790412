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

    /// Reads the token, and makes one first when there is no file.
    init(file path: String, randomBytes: (Int) -> [UInt8]) throws(Fault) {
        if access(path, F_OK) != 0, errno == ENOENT { try Self.make(path, randomBytes) }
        digest = sha256(Array(try Self.token(in: path).utf8))
    }

    func isGenuine(_ digest: [UInt8]) -> Bool { constantTimeEquals(digest, self.digest) }

    /// Complete and private, or not there: written beside, then linked, which fails when another process was first.
    private static func make(_ path: String, _ randomBytes: (Int) -> [UInt8]) throws(Fault) {
        // Not the process's id: in containers that share the folder every process is number 1.
        let temporary = "\(path).\(UInt64.random(in: .min ... .max))"
        let file = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw .notWritable(errno: errno) }
        defer { unlink(temporary) }
        let line = Array((Base64URL.random(PolicyConfiguration.secretBytes, randomBytes) + "\n").utf8)
        let isDurable = write(file, line, line.count) == line.count && fsync(file) == 0
        close(file)
        guard isDurable, link(temporary, path) == 0 || errno == EEXIST else { throw .notWritable(errno: errno) }
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
