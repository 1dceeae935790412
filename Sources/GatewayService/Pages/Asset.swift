import Secrets

/// A file that pages load: a style sheet, a script, an image.
struct Asset: Sendable {
    /// As it is called in `Web/`: `sign-in.js`.
    let name: String
    /// With a hash of the content, so that it may be kept for ever: `sign-in.3f9c04d1a2b7.js`.
    let hashedName: String
    let type: String
    let bytes: [UInt8]
    let gzip: [UInt8]?
    /// Of the bytes as they are; compressed they are another representation, with a tag of its own (RFC 9110 section 8.8.3).
    let hash: String

    var path: String { "/assets/\(hashedName)" }

    /// Nil for a kind of file that pages do not load.
    init?(name: String, bytes: [UInt8]) {
        guard let dot = name.lastIndex(of: "."), let type = Self.types[String(name[name.index(after: dot)...])] else {
            return nil
        }
        self.name = name
        self.type = type
        self.bytes = bytes
        gzip = Gzip.compressed(bytes)
        hash = sha256(bytes).prefix(6).map { byte in
            let digits = String(byte, radix: 16)
            return digits.count == 1 ? "0\(digits)" : digits
        }.joined()
        hashedName = "\(name[..<dot]).\(hash)\(name[dot...])"
    }

    private static let types = [
        "css": "text/css; charset=utf-8", "js": "text/javascript; charset=utf-8", "svg": "image/svg+xml",
        "png": "image/png",
        "webmanifest": "application/manifest+json",
    ]
}
