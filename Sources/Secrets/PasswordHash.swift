import COpenSSL

/// A stored hash with all that is needed to check it: `$scrypt$ln=17,r=8,p=1$<salt>$<hash>`, Base64 without padding.
struct PasswordHash: Equatable {
    static let saltBytes = 16
    static let hashBytes = 32

    let cost: PasswordHasher.Cost
    let salt: [UInt8]
    let hash: [UInt8]

    init(cost: PasswordHasher.Cost, salt: [UInt8], hash: [UInt8]) {
        self.cost = cost
        self.salt = salt
        self.hash = hash
    }

    /// Nil for what this build did not write, and for costs that would take the machine's memory.
    init?(_ text: String) {
        let parts = text.split(separator: "$", omittingEmptySubsequences: false)
        guard parts.count == 5, parts[0].isEmpty, parts[1] == "scrypt", let cost = PasswordHasher.Cost(text: parts[2]),
            let salt = Self.decode(parts[3]), let hash = Self.decode(parts[4]), salt.count == Self.saltBytes,
            hash.count == Self.hashBytes
        else { return nil }
        self.init(cost: cost, salt: salt, hash: hash)
    }

    var text: String { "$scrypt$\(cost.text)$\(Self.encode(salt))$\(Self.encode(hash))" }

    private static func encode(_ bytes: [UInt8]) -> String {
        var encoded = [UInt8](repeating: 0, count: (bytes.count + 2) / 3 * 4 + 1)
        let count = EVP_EncodeBlock(&encoded, bytes, Int32(bytes.count))
        return String(decoding: encoded[..<Int(count)].filter { $0 != 0x3D }, as: UTF8.self)
    }

    private static func decode(_ text: Substring) -> [UInt8]? {
        let padding = (4 - text.utf8.count % 4) % 4
        guard padding < 3, !text.isEmpty, text.utf8.allSatisfy(isBase64) else { return nil }
        let padded = Array(text.utf8) + [UInt8](repeating: 0x3D, count: padding)
        var decoded = [UInt8](repeating: 0, count: padded.count / 4 * 3)
        guard EVP_DecodeBlock(&decoded, padded, Int32(padded.count)) == decoded.count else { return nil }
        return Array(decoded.dropLast(padding))
    }

    private static func isBase64(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2B, 0x2F: true
        default: false
        }
    }
}

extension PasswordHasher.Cost {
    var text: String { "ln=\(log2N),r=\(r),p=\(p)" }

    init?(text: Substring) {
        let fields = text.split(separator: ",", omittingEmptySubsequences: false)
        func number(_ index: Int, _ name: String, _ range: ClosedRange<Int>) -> Int? {
            guard fields[index].hasPrefix(name + "="), let value = Int(fields[index].dropFirst(name.count + 1)) else {
                return nil
            }
            return range.contains(value) ? value : nil
        }
        guard fields.count == 3, let log2N = number(0, "ln", 1...20), let r = number(1, "r", 1...16),
            let p = number(2, "p", 1...8)
        else {
            return nil
        }
        self.init(log2N: log2N, r: r, p: p)
    }
}
