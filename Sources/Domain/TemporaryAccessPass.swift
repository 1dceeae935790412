/// The text of a Temporary Access Pass, made to be read aloud and typed.
package enum TemporaryAccessPass {
    /// No letter or digit that looks or sounds like another: 31 signs, 4.95 bits each, so 8 of them are almost 40 bits.
    package static let alphabet = Array("23456789ABCDEFGHJKMNPQRSTUVWXYZ")

    /// How long one may be good, of a tenant's setting and of a single pass.
    package static let lifetimeMinutes = TenantSettings.range(of: \.temporaryAccessPassLifetimeMinutes)

    /// `random` returns that many random bytes; those that would make some signs likelier than others are thrown away.
    package static func make(length: Int, random: (Int) -> [UInt8]) -> String {
        let limit = 256 / alphabet.count * alphabet.count
        var text = ""
        while text.count < length {
            for byte in random(length) where Int(byte) < limit && text.count < length {
                text.append(alphabet[Int(byte) % alphabet.count])
            }
        }
        return text
    }

    /// The pass as it was made, from what was typed: in either case, with spaces and dashes between.
    package static func normalized(_ typed: String) -> String { typed.uppercased().filter { $0 != " " && $0 != "-" } }
}
