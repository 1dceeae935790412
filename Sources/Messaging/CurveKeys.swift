import CZeroMQ
import Glibc
import Secrets
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
    /// `trust`, by default the same folder. With the own public key there already, nothing is written beside the secret one: `folder`
    /// may be read-only.
    package static func load(folder: String, service: ServiceName, trust: String? = nil) throws(BusError) -> CurveKeys {
        let secretPath = "\(folder)/\(service.rawValue).key"
        let publicPath = "\(folder)/\(service.rawValue).pub"
        if mkdir(folder, 0o700) != 0, errno != EEXIST { throw .keys("cannot make \(folder): \(systemReason())") }
        let secret = try KeyFile.secret(secretPath, orMake: generate)
        let derived = try derivePublic(secret, path: secretPath)
        let keys = CurveKeys(publicKey: derived, secretKey: secret, trustFolder: trust ?? folder)
        let isElsewhere = keys.trustFolder != folder && keys.readTrusted().keys.service(of: derived) == service
        if !isElsewhere, KeyFile.read(publicPath).key != derived {
            try KeyFile.write(derived, to: publicPath, mode: 0o644)
        }
        return keys
    }

    /// Makes the pair of `service` in `folder` where it is missing, and has it trusted by those who read `trust`: for an operator who
    /// gives each process its own secret key alone. Throws when `trust` has another key of the service, which a running process may hold.
    package static func create(folder: String, service: ServiceName, trust: String) throws(BusError) {
        // Read by processes of other users, whatever the umask of the one who makes it.
        let isThere = mkdir(trust, 0o755) == 0 ? chmod(trust, 0o755) == 0 : errno == EEXIST
        guard isThere else { throw .keys("cannot make \(trust): \(systemReason())") }
        let keys = try load(folder: folder, service: service, trust: trust)
        let published = "\(trust)/\(service.rawValue).pub"
        switch KeyFile.read(published) {
        case .key(keys.publicKey): break
        case .gone: try KeyFile.write(keys.publicKey, to: published, mode: 0o644)
        case .key, .unreadable:
            throw .keys(
                "\(published) is not the public key of \(folder)/\(service.rawValue).key: remove the one that is wrong")
        }
        try KeyFile.openToOthers(published)
    }

    /// The public keys in the trust folder, after `last` was read from there, and what is wrong with the folder, if anything.
    ///
    /// Only a file that is gone takes its key away. One that cannot be read, or holds no key (it may be half copied), counts as what
    /// it was; when the folder itself cannot be read, all do. So no passing trouble disconnects anybody.
    func readTrusted(after last: TrustedKeys = TrustedKeys()) -> (keys: TrustedKeys, problem: String?) {
        guard let names = KeyFile.names(in: trustFolder) else {
            return (last, "\(trustFolder) cannot be read: \(systemReason())")
        }
        var (trusted, problem) = (TrustedKeys(), String?.none)
        // In order: when two files claim one key for two services, the same one wins each time.
        for name in names.sorted() where name.hasSuffix(".pub") {
            guard let service = ServiceName(rawValue: String(name.dropLast(4).prefix { $0 != "-" })) else { continue }
            switch KeyFile.read("\(trustFolder)/\(name)") {
            case .key(let key): trusted.insert(key, of: service, from: name)
            case .gone: break
            case .unreadable(let reason):
                problem = "\(name) \(reason)"
                if let key = last.key(from: name) { trusted.insert(key, of: service, from: name) }
            }
        }
        return (trusted, problem)
    }

    /// A secret key.
    static func generate() throws(BusError) -> String {
        var publicText = [CChar](repeating: 0, count: 41)
        var secretText = [CChar](repeating: 0, count: 41)
        guard zmq_curve_keypair(&publicText, &secretText) == 0 else { throw .keys("libzmq was built without CURVE") }
        return KeyFile.text(secretText)
    }

    static func derivePublic(_ secret: String, path: String) throws(BusError) -> String {
        var publicText = [CChar](repeating: 0, count: 41)
        guard zmq_curve_public(&publicText, secret) == 0 else { throw .keys("\(path) is not a CURVE key") }
        return KeyFile.text(publicText)
    }
}

/// Which service each public key belongs to.
struct TrustedKeys: Sendable, Equatable {
    private var serviceByKey: [String: ServiceName] = [:]
    private var keyByFile: [String: String] = [:]

    mutating func insert(_ key: String, of service: ServiceName, from file: String) {
        serviceByKey[key] = service
        keyByFile[file] = key
    }

    func key(from file: String) -> String? { keyByFile[file] }

    func service(of key: String) -> ServiceName? { serviceByKey[key] }

    /// The keys that a callee may show, in a stable order: while keys are being exchanged there are two.
    func keys(of service: ServiceName) -> [String] { serviceByKey.filter { $0.value == service }.keys.sorted() }
}

/// Key files, through the system's own calls so that a secret is never readable by others, not even for a moment.
enum KeyFile {
    static let characters = 40
    /// With the white space that an editor leaves behind the key.
    static let bytesMax = characters + 8

    /// The secret key in a file that nobody else may read.
    static func secret(_ path: String) throws(BusError) -> String {
        let bytes: [UInt8]
        do { bytes = try PrivateFile.read(path, bytesMax: bytesMax) } catch { throw .keys(error.description) }
        guard let key = key(in: bytes) else { throw .keys("\(path) is not a CURVE key") }
        return key
    }

    /// As `secret`; a file that is not there is made. Another process of the service may be making it at the same moment: the first
    /// one's stays.
    static func secret(_ path: String, orMake generate: () throws(BusError) -> String) throws(BusError) -> String {
        if access(path, F_OK) != 0, errno == ENOENT {
            let made = try generate()
            do { try PrivateFile.make(path, Array("\(made)\n".utf8)) } catch { throw .keys(error.description) }
        }
        return try secret(path)
    }

    /// Complete or not there. A file that another process has made meanwhile is replaced.
    static func write(_ key: String, to path: String, mode: mode_t) throws(BusError) {
        // Not the process's id: in containers that share the folder every process is number 1.
        let temporary = "\(path).\(UInt64.random(in: .min ... .max))"
        let file = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode)
        guard file >= 0 else { throw .keys("cannot write \(path): \(systemReason())") }
        // Gone already after a rename.
        defer { unlink(temporary) }
        let bytes = Array(key.utf8) + [0x0A]
        let written = Glibc.write(file, bytes, bytes.count)
        let isDurable = written == bytes.count && fsync(file) == 0
        close(file)
        guard isDurable else { throw .keys("cannot write \(path): \(systemReason())") }
        guard rename(temporary, path) == 0 else { throw .keys("cannot write \(path): \(systemReason())") }
    }

    /// For processes of other users, whatever the umask of the one who made it.
    static func openToOthers(_ path: String) throws(BusError) {
        guard chmod(path, 0o644) == 0 else { throw .keys("cannot open \(path) to others: \(systemReason())") }
    }

    /// What a file holds.
    enum Content: Equatable {
        case key(String)
        case gone
        case unreadable(String)

        var key: String? { if case .key(let key) = self { key } else { nil } }
    }

    static func read(_ path: String) -> Content {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return errno == ENOENT ? .gone : .unreadable("cannot be read: \(systemReason())") }
        defer { close(file) }
        var bytes = [UInt8](repeating: 0, count: bytesMax)
        let count = Glibc.read(file, &bytes, bytes.count)
        guard count >= 0 else { return .unreadable("cannot be read: \(systemReason())") }
        return key(in: Array(bytes[..<count])).map(Content.key) ?? .unreadable("is not a CURVE key")
    }

    private static func key(in bytes: [UInt8]) -> String? {
        guard bytes.count >= characters,
            bytes[characters...].allSatisfy({ $0 == 0x0A || $0 == 0x0D || $0 == 0x20 })
        else { return nil }
        let key = String(decoding: bytes[..<characters], as: UTF8.self)
        var decoded = [UInt8](repeating: 0, count: 32)
        return zmq_z85_decode(&decoded, key) == nil ? nil : key
    }

    /// Nil when the folder cannot be read to its end.
    static func names(in folder: String) -> [String]? {
        guard let directory = opendir(folder) else { return nil }
        defer { closedir(directory) }
        var names: [String] = []
        // readdir(3) tells its failure from its end by errno alone.
        errno = 0
        while let entry = readdir(directory) {
            names.append(
                withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                    pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
                })
            errno = 0
        }
        return errno == 0 ? names : nil
    }

    static func text(_ characters: [CChar]) -> String {
        String(decoding: characters.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}

/// The system's words for the last error.
func systemReason() -> String { String(cString: strerror(errno)) }
