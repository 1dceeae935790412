import Glibc

/// The file of a key ring: text, a key a line as 64 hexadecimal digits. The first seals; all of them open, so that a new key is
/// put in front and the old one stays until nothing is sealed by it. Empty lines and lines that begin with `#` are passed over.
struct SealingKeyFile {
    private static let bytesMax = 65_536

    private let path: String

    init(_ path: String) { self.path = path }

    func readOrMake() throws(SecretsError) -> [SealingKey] {
        if access(path, F_OK) != 0, errno == ENOENT { try make() }
        return try parse(read())
    }

    /// Complete and private, or not there: written beside, then linked, which fails when another process was first.
    private func make() throws(SecretsError) {
        let line = randomBytes(SealingKey.bytes).map { Self.hex($0) }.joined() + "\n"
        // Not the process's id: in containers that share the folder every process is number 1.
        let temporary = "\(path).\(UInt64.random(in: .min ... .max))"
        let file = Glibc.open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw failure("cannot be made") }
        defer { unlink(temporary) }
        let bytes = Array(line.utf8)
        let isDurable = write(file, bytes, bytes.count) == bytes.count && fsync(file) == 0
        close(file)
        guard isDurable else { throw failure("cannot be written") }
        guard link(temporary, path) == 0 || errno == EEXIST else { throw failure("cannot be made") }
        syncFolder()
    }

    /// A key that sealed something must not vanish with the folder's entry when the power fails.
    private func syncFolder() {
        let folder = path.lastIndex(of: "/").map { path[..<$0].isEmpty ? "/" : String(path[..<$0]) } ?? "."
        let file = Glibc.open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard file >= 0 else { return }
        fsync(file)
        close(file)
    }

    private func read() throws(SecretsError) -> [UInt8] {
        let file = Glibc.open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { throw failure("cannot be read") }
        defer { close(file) }
        var status = stat()
        // Of the open file, so that it cannot be exchanged between the look and the reading.
        guard fstat(file, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            throw .keyFile(detail: "\(path) is not a file")
        }
        // A credential of systemd may be root's, opened to the one user by an access list, which shows as the group's right to read.
        let isCredential = status.st_uid == 0 && status.st_gid == 0 && status.st_mode & 0o777 == 0o440
        guard status.st_mode & 0o077 == 0 || isCredential else {
            throw .keyFile(detail: "\(path) may be read or written by others; its mode must be 0600")
        }
        var bytes = [UInt8](repeating: 0, count: Self.bytesMax)
        let count = Glibc.read(file, &bytes, bytes.count)
        guard count >= 0 else { throw failure("cannot be read") }
        guard count < bytes.count else { throw .keyFile(detail: "\(path) is too long for a key file") }
        return Array(bytes[..<count])
    }

    private func parse(_ bytes: [UInt8]) throws(SecretsError) -> [SealingKey] {
        var keys: [SealingKey] = []
        for (index, line) in bytes.split(separator: 0x0A, omittingEmptySubsequences: false).enumerated() {
            let text = line.last == 0x0D ? line.dropLast() : line
            if text.isEmpty || text.first == 0x23 { continue }
            guard let secret = Self.bytes(hex: text), secret.count == SealingKey.bytes else {
                throw .keyFile(detail: "\(path) line \(index + 1) is not a key of 64 hexadecimal digits")
            }
            keys.append(SealingKey(secret))
        }
        guard !keys.isEmpty else { throw .keyFile(detail: "\(path) holds no key") }
        guard Set(keys.map(\.id)).count == keys.count else { throw .keyFile(detail: "\(path) holds a key twice") }
        return keys
    }

    private func failure(_ what: String) -> SecretsError {
        .keyFile(detail: "\(path) \(what): \(String(cString: strerror(errno)))")
    }

    private static func hex(_ byte: UInt8) -> String {
        let digits = String(byte, radix: 16)
        return digits.count == 1 ? "0" + digits : digits
    }

    private static func bytes(hex text: ArraySlice<UInt8>) -> [UInt8]? {
        guard text.count.isMultiple(of: 2) else { return nil }
        var result: [UInt8] = []
        var high: UInt8?
        for character in text {
            guard let digit = Character(UnicodeScalar(character)).hexDigitValue.map(UInt8.init) else { return nil }
            if let first = high {
                result.append(first << 4 | digit)
                high = nil
            } else {
                high = digit
            }
        }
        return result
    }
}
