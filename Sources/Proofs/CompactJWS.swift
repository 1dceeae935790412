import Domain

/// A compact JWS (RFC 7515 section 7.1) with ES256 (RFC 7518 section 3.4): the only algorithm, so that no header can choose a
/// weaker one. What it says is not to be believed before `isSigned(by:)`.
struct CompactJWS: Sendable {
    /// Longer texts are refused before anything is decoded; a proof needs about 500 bytes.
    static let charactersMax = 4096
    private static let signatureBytes = 64
    /// A header with a key has two levels, a payload one.
    private static let depthMax = 4

    /// How a header names its key.
    enum KeyReference: Sendable {
        case device(DeviceID)
        case embedded(PublicKeyJWK)
    }

    let keyReference: KeyReference
    let payload: [String: JSONValue]
    private let signedBytes: [UInt8]
    private let signature: [UInt8]

    /// Throws `malformed` unless the text has exactly this header: `alg` ES256, `typ` as given, and one of `kid` or `jwk`. Any
    /// other member (`crit`, `jku`, `x5c`, `b64`, …) could change the meaning of the signature, so none is let in.
    init(_ text: String, type: String) throws(ProofError) {
        guard text.utf8.count <= Self.charactersMax else { throw .malformed }
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 3, let headerBytes = Base64URL.decode(parts[0]),
            let payloadBytes = Base64URL.decode(parts[1]),
            let signature = Base64URL.decode(parts[2]), signature.count == Self.signatureBytes,
            var header = try? JSONValue(parsing: headerBytes, depthMax: Self.depthMax).members,
            let payload = try? JSONValue(parsing: payloadBytes, depthMax: Self.depthMax).members,
            header.removeValue(forKey: "alg") == .string("ES256"), header.removeValue(forKey: "typ") == .string(type),
            let (name, value) = header.first, header.count == 1
        else { throw .malformed }
        keyReference = try Self.keyReference(name, value)
        self.payload = payload
        self.signature = signature
        signedBytes = Array("\(parts[0]).\(parts[1])".utf8)
    }

    private static func keyReference(_ name: String, _ value: JSONValue) throws(ProofError) -> KeyReference {
        switch (name, value) {
        case ("kid", .string(let id)) where (1...128).contains(id.utf8.count): return .device(DeviceID(id))
        case ("jwk", .object(let members)): return .embedded(try PublicKeyJWK(members))
        default: throw .malformed
        }
    }

    func isSigned(by key: PublicKeyJWK) -> Bool { key.isValid(signature: signature, of: signedBytes) }

    /// Signs `payload`, a JSON text.
    static func sign(payload: String, type: String, key: KeyReference, by signer: any DeviceSigner) async throws
        -> String
    {
        let reference =
            switch key {
            case .device(let id): #""kid":\#(JSONValue.quoted(id.rawValue))"#
            case .embedded(let jwk): #""jwk":\#(jwk.json)"#
            }
        let header = #"{"alg":"ES256","typ":"\#(type)",\#(reference)}"#
        let text = Base64URL.encode(Array(header.utf8)) + "." + Base64URL.encode(Array(payload.utf8))
        return text + "." + Base64URL.encode(try await signer.sign(Array(text.utf8)))
    }

    // MARK: claims

    func string(_ name: String) throws(ProofError) -> String {
        guard let text = payload[name]?.text else { throw .malformed }
        return text
    }

    /// A SHA-256 digest in base64url.
    func digest(_ name: String) throws(ProofError) -> [UInt8] {
        guard let bytes = Base64URL.decode(try string(name)), bytes.count == 32 else { throw .malformed }
        return bytes
    }

    /// `iat`: whole seconds between 1970 and 9999, so that no arithmetic on it can overflow.
    func issuedAt() throws(ProofError) -> Timestamp {
        guard case .integer(let seconds) = payload["iat"], (0...253_402_300_799).contains(seconds) else {
            throw .malformed
        }
        return Timestamp(seconds: seconds)
    }
}

extension Timestamp {
    /// Whether two clocks agree within `skew`, seen with the whole seconds of an `iat`.
    func agrees(with other: Timestamp, within skew: Duration) -> Bool {
        let difference = abs(seconds - other.seconds)
        return difference <= skew.components.seconds
    }
}
