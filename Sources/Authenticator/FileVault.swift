import Foundation

/// Keys and accounts in one file that only its owner can read: for phones in a terminal and for tests. A phone with secure
/// hardware keeps its keys there instead.
///
/// Written beside and renamed, so that a crash leaves the old file or the new one; a lock file keeps processes from overwriting each
/// other's changes.
public actor FileVault: KeyStore, AccountStore {
    public enum Failure: Error, Sendable, Hashable, CustomStringConvertible {
        /// Group or others may read it, or it is somebody else's: its secrets may be known, so it is not used.
        case exposed
        case unreadable
        case corrupt
        case unwritable

        public var description: String {
            switch self {
            case .exposed: "others can read the file, so it is not used (chmod 600 it if you trust its content)"
            case .unreadable: "the file cannot be read"
            case .corrupt: "the file is not one that this program wrote"
            case .unwritable: "the file cannot be written"
            }
        }
    }

    private struct Document: Codable {
        var version = 1
        var sharedKey: KeyID?
        /// Private keys in base64.
        var keys: [String: Data] = [:]
        var accounts: [Account] = []
    }

    public nonisolated let path: String

    public init(path: String) { self.path = path }

    /// Where the terminal phone keeps its accounts (XDG Base Directory): `$XDG_CONFIG_HOME/countersign/phone.json`.
    public static var defaultPath: String {
        let environment = ProcessInfo.processInfo.environment
        let folder =
            environment["XDG_CONFIG_HOME"].flatMap { $0.hasPrefix("/") ? $0 : nil } ?? (environment["HOME"] ?? "")
            + "/.config"
        return folder + "/countersign/phone.json"
    }

    /// Throws what keeps the file from being used; a file that is not there yet can be used.
    public func validate() throws { _ = try read() }

    public func sharedKey() throws -> any DeviceKey {
        try change { document in
            if let id = document.sharedKey, let key = try Self.key(id, in: document) { return key }
            let key = SoftwareKey()
            document.keys[key.id.rawValue] = key.privateKey
            document.sharedKey = key.id
            return key
        }
    }

    public func makeKey() throws -> any DeviceKey {
        try change { document in
            let key = SoftwareKey()
            document.keys[key.id.rawValue] = key.privateKey
            return key
        }
    }

    public func key(_ id: KeyID) throws -> (any DeviceKey)? { try Self.key(id, in: read()) }

    public func removeKey(_ id: KeyID) throws {
        try change { document in
            document.keys[id.rawValue] = nil
            if document.sharedKey == id { document.sharedKey = nil }
        }
    }

    public func accounts() throws -> [Account] { try read().accounts }

    public func update(_ change: @escaping @Sendable (inout [Account]) -> Void) throws {
        try self.change { change(&$0.accounts) }
    }

    private static func key(_ id: KeyID, in document: Document) throws -> SoftwareKey? {
        guard let bytes = document.keys[id.rawValue] else { return nil }
        guard let key = SoftwareKey(privateKey: bytes), key.id == id else { throw Failure.corrupt }
        return key
    }

    // MARK: the file

    private func change<Result>(_ body: (inout Document) throws -> Result) throws -> Result {
        let folder = URL(fileURLWithPath: path).deletingLastPathComponent().path
        try? FileManager.default.createDirectory(
            atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        let lock = open(path + ".lock", O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard lock >= 0 else { throw Failure.unwritable }
        // Closing lets the lock go, also when the process dies.
        defer { close(lock) }
        guard flock(lock, LOCK_EX) == 0 else { throw Failure.unwritable }
        var document = try read()
        let result = try body(&document)
        try write(document)
        return result
    }

    private func read() throws -> Document {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            if errno == ENOENT { return Document() }
            throw Failure.unreadable
        }
        let file = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
        var status = stat()
        // Asked of the open file, so that it cannot be exchanged between the question and the reading.
        guard fstat(descriptor, &status) == 0 else { throw Failure.unreadable }
        guard status.st_mode & 0o077 == 0, status.st_uid == geteuid() else { throw Failure.exposed }
        guard let data = try file.readToEnd() else { throw Failure.corrupt }
        do {
            let decoder = JSONDecoder()
            decoder.dateDecodingStrategy = .iso8601
            let document = try decoder.decode(Document.self, from: data)
            guard document.version == 1 else { throw Failure.corrupt }
            return document
        } catch {
            throw Failure.corrupt
        }
    }

    private func write(_ document: Document) throws {
        let encoder = JSONEncoder()
        encoder.dateEncodingStrategy = .iso8601
        encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
        let data = try encoder.encode(document)
        let temporary = path + ".new"
        // A left-over of a crash; nobody else writes it while we hold the lock.
        unlink(temporary)
        let descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw Failure.unwritable }
        let file = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
        do {
            try file.write(contentsOf: data)
            try file.synchronize()
            try file.close()
        } catch {
            unlink(temporary)
            throw Failure.unwritable
        }
        guard rename(temporary, path) == 0 else {
            unlink(temporary)
            throw Failure.unwritable
        }
    }
}
