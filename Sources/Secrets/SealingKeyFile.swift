/// The file of a key ring: text, a key a line as 64 hexadecimal digits. The first seals; all of them open, so that a new key is
/// put in front and the old one stays until nothing is sealed by it. Empty lines and lines that begin with `#` are passed over.
struct SealingKeyFile {
    private static let bytesMax = 65_536

    private let path: String

    init(_ path: String) { self.path = path }

    func read() throws(SecretsError) -> [SealingKey] {
        try parse(bytes { path throws(PrivateFile.Fault) in try PrivateFile.read(path, bytesMax: Self.bytesMax) })
    }

    func readOrMake() throws(SecretsError) -> [SealingKey] {
        try parse(
            bytes { path throws(PrivateFile.Fault) in
                try PrivateFile.read(path, bytesMax: Self.bytesMax, orMake: Self.line)
            })
    }

    private func bytes(_ read: (String) throws(PrivateFile.Fault) -> [UInt8]) throws(SecretsError) -> [UInt8] {
        do { return try read(path) } catch { throw .keyFile(detail: error.description) }
    }

    private static func line() -> [UInt8] {
        Array((randomBytes(SealingKey.bytes).map { hex($0) }.joined() + "\n").utf8)
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
