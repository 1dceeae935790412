/// A secret's file that is sealed itself: a line that says so, then what `Sealer.seal` returned. Whoever has the file without the key
/// ring has nothing.
package enum SealedFile {
    private static let mark = Array("countersign-sealed-1\n".utf8)

    package static func isSealed(_ file: [UInt8]) -> Bool { file.starts(with: mark) }

    /// `purpose` says what the secret is and for whom: under another one it does not open.
    package static func seal(_ secret: [UInt8], with sealer: Sealer, for purpose: String) throws(SecretsError)
        -> [UInt8]
    {
        try mark + sealer.seal(secret, for: purpose)
    }

    /// Throws `notGenuine` for anything but what `seal` returned for the same purpose under a key of the ring.
    package static func open(_ file: [UInt8], with sealer: Sealer, for purpose: String) throws(SecretsError) -> [UInt8]
    {
        guard isSealed(file) else { throw .notGenuine }
        return try sealer.open(Array(file.dropFirst(mark.count)), for: purpose)
    }
}
