import Glibc

/// A file that holds a secret: a regular one that nobody but its owner may read or write.
package enum PrivateFile {
    /// Why there is no secret. Safe to log: nothing of what the file holds is in it.
    package struct Fault: Error, Hashable, Sendable, CustomStringConvertible {
        package let path: String
        /// What is wrong, to stand behind the path.
        package let detail: String

        fileprivate init(_ path: String, _ detail: String) {
            self.path = path
            self.detail = detail
        }

        fileprivate init(system path: String, _ what: String) {
            self.init(path, "\(what): \(String(cString: strerror(errno)))")
        }

        package var description: String { "\(path): \(detail)" }
    }

    private static let partBytes = 4096

    /// The whole file, of `bytesMax` at most. A symbolic link is followed, as mounted secrets are links: what counts is where it leads.
    package static func read(_ path: String, bytesMax: Int) throws(Fault) -> [UInt8] {
        // A pipe of that name must not hold whoever opens it.
        let file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard file >= 0 else { throw Fault(system: path, "cannot be read") }
        defer { close(file) }
        var status = stat()
        // Of the open file, so that it cannot be exchanged between the look and the reading.
        guard fstat(file, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { throw Fault(path, "is not a file") }
        // A credential of systemd may be root's, opened to the one user by an access list, which shows as the group's right to read.
        let isCredential = status.st_uid == 0 && status.st_gid == 0 && status.st_mode & 0o777 == 0o440
        guard status.st_mode & 0o077 == 0 || isCredential else {
            throw Fault(path, "may be read or written by others; its mode must be 0600")
        }
        var bytes: [UInt8] = []
        var part = [UInt8](repeating: 0, count: partBytes)
        while true {
            let count = Glibc.read(file, &part, part.count)
            if count == 0 { return bytes }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw Fault(system: path, "cannot be read") }
            bytes += part[..<count]
            guard bytes.count <= bytesMax else { throw Fault(path, "is longer than \(bytesMax) bytes") }
        }
    }

    /// As `read`; a file that is not there is made first, of what `content` returns.
    package static func read(
        _ path: String, bytesMax: Int, orMake content: () -> [UInt8]
    ) throws(Fault) -> [UInt8] {
        if access(path, F_OK) != 0, errno == ENOENT { try make(path, content()) }
        return try read(path, bytesMax: bytesMax)
    }

    /// Makes a file that is not there: complete, on disk and private, or not at all. It is written beside, then linked, which fails when
    /// another process was first, whose file stays.
    package static func make(_ path: String, _ bytes: [UInt8]) throws(Fault) {
        // Not the process's id: in containers that share the folder every process is number 1.
        let temporary = "\(path).\(UInt64.random(in: .min ... .max))"
        let file = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw Fault(system: path, "cannot be made") }
        defer { unlink(temporary) }
        let isDurable = write(bytes, to: file) && fsync(file) == 0
        guard close(file) == 0, isDurable else { throw Fault(system: path, "cannot be written") }
        guard link(temporary, path) == 0 || errno == EEXIST else { throw Fault(system: path, "cannot be made") }
        syncFolder(of: path)
    }

    private static func write(_ bytes: [UInt8], to file: Int32) -> Bool {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(file, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return false }
            rest = rest.dropFirst(count)
        }
        return true
    }

    /// A key that sealed something must not vanish with the folder's entry when the power fails.
    private static func syncFolder(of path: String) {
        let folder = path.lastIndex(of: "/").map { path[..<$0].isEmpty ? "/" : String(path[..<$0]) } ?? "."
        let file = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard file >= 0 else { return }
        fsync(file)
        close(file)
    }
}
