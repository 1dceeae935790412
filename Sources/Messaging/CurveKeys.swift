import CZeroMQ
import Glibc
package import Wire

/// One service's CURVE key pair (Curve25519; RFC 26 of the ZeroMQ project) and the folder of everybody's public keys.
///
/// `<service>.key` is the secret, mode 0600; `<service>.pub`, or `<service>-<anything>.pub` while keys are being exchanged, are
/// public keys. All are Z85 text of 40 characters.
package struct CurveKeys: Sendable {
    package let publicKey: String
    let secretKey: String
    /// Where the trusted public keys are read from, again and again.
    package let trustFolder: String

    /// Reads the pair of `service` from `folder`, and makes it at the first start. Public keys of others are trusted when they are in
    /// `trust`, by default the same folder.
    package static func load(folder: String, service: ServiceName, trust: String? = nil) throws(BusError) -> CurveKeys {
        let secretPath = "\(folder)/\(service.rawValue).key"
        let publicPath = "\(folder)/\(service.rawValue).pub"
        if mkdir(folder, 0o700) != 0, errno != EEXIST { throw .keys("cannot make \(folder): \(systemReason())") }
        if access(secretPath, F_OK) != 0 {
            let pair = try generate()
            // The public key first: whoever sees a secret key may rely on its public half.
            try KeyFile.write(pair.public, to: publicPath, mode: 0o644)
            try KeyFile.write(pair.secret, to: secretPath, mode: 0o600)
        }
        try KeyFile.requirePrivate(secretPath)
        guard let secret = KeyFile.read(secretPath) else { throw .keys("\(secretPath) is not a CURVE key") }
        let derived = try derivePublic(secret, path: secretPath)
        if KeyFile.read(publicPath) != derived { try KeyFile.write(derived, to: publicPath, mode: 0o644) }
        return CurveKeys(publicKey: derived, secretKey: secret, trustFolder: trust ?? folder)
    }

    /// The public keys in the trust folder, by service. A file that is no key is passed over.
    func readTrusted() -> TrustedKeys {
        var trusted = TrustedKeys()
        for name in KeyFile.names(in: trustFolder) where name.hasSuffix(".pub") {
            let stem = name.dropLast(4)
            guard let service = ServiceName(rawValue: String(stem.prefix { $0 != "-" })),
                let key = KeyFile.read("\(trustFolder)/\(name)")
            else {
                continue
            }
            trusted.insert(key, of: service)
        }
        return trusted
    }

    private static func generate() throws(BusError) -> (public: String, secret: String) {
        var publicText = [CChar](repeating: 0, count: 41)
        var secretText = [CChar](repeating: 0, count: 41)
        guard zmq_curve_keypair(&publicText, &secretText) == 0 else { throw .keys("libzmq was built without CURVE") }
        return (KeyFile.text(publicText), KeyFile.text(secretText))
    }

    private static func derivePublic(_ secret: String, path: String) throws(BusError) -> String {
        var publicText = [CChar](repeating: 0, count: 41)
        guard zmq_curve_public(&publicText, secret) == 0 else { throw .keys("\(path) is not a CURVE key") }
        return KeyFile.text(publicText)
    }
}

/// Which service each public key belongs to.
struct TrustedKeys: Sendable, Equatable {
    private(set) var serviceByKey: [String: ServiceName] = [:]

    mutating func insert(_ key: String, of service: ServiceName) { serviceByKey[key] = service }

    func service(of key: String) -> ServiceName? { serviceByKey[key] }

    /// The keys that a callee may show, in a stable order: while keys are being exchanged there are two.
    func keys(of service: ServiceName) -> [String] { serviceByKey.filter { $0.value == service }.keys.sorted() }
}

/// Key files, through the system's own calls so that a secret is never readable by others, not even for a moment.
enum KeyFile {
    static let characters = 40

    static func write(_ key: String, to path: String, mode: mode_t) throws(BusError) {
        let temporary = "\(path).\(getpid())"
        unlink(temporary)
        let file = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode)
        guard file >= 0 else { throw .keys("cannot write \(path): \(systemReason())") }
        let bytes = Array(key.utf8) + [0x0A]
        let written = Glibc.write(file, bytes, bytes.count)
        let isDurable = written == bytes.count && fsync(file) == 0
        close(file)
        guard isDurable, rename(temporary, path) == 0 else {
            let reason = systemReason()
            unlink(temporary)
            throw .keys("cannot write \(path): \(reason)")
        }
    }

    static func requirePrivate(_ path: String) throws(BusError) {
        var status = stat()
        guard stat(path, &status) == 0 else { throw .keys("cannot read \(path): \(systemReason())") }
        guard status.st_mode & 0o077 == 0 else { throw .keys("\(path) may be read by others; its mode must be 0600") }
    }

    /// The key in a file, or nil when there is none.
    static func read(_ path: String) -> String? {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return nil }
        defer { close(file) }
        var bytes = [UInt8](repeating: 0, count: characters + 8)
        let count = Glibc.read(file, &bytes, bytes.count)
        guard count >= characters else { return nil }
        guard bytes[characters..<count].allSatisfy({ $0 == 0x0A || $0 == 0x0D || $0 == 0x20 }) else { return nil }
        let key = String(decoding: bytes[..<characters], as: UTF8.self)
        var decoded = [UInt8](repeating: 0, count: 32)
        return zmq_z85_decode(&decoded, key) == nil ? nil : key
    }

    static func names(in folder: String) -> [String] {
        guard let directory = opendir(folder) else { return [] }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            names.append(
                withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                    pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
                })
        }
        return names
    }

    static func text(_ characters: [CChar]) -> String {
        String(decoding: characters.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}

/// The system's words for the last error.
func systemReason() -> String { String(cString: strerror(errno)) }
