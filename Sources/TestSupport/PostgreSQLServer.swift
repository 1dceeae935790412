import Foundation
import Glibc
import Synchronization

/// A PostgreSQL server of the test run's own, in a folder and on a loopback port of its own. It ends with the test process, however
/// that ends. Its one role, `countersign`, owns everything.
package final class PostgreSQLServer: Sendable {
    struct Refused: Error, CustomStringConvertible { let description: String }

    private static let current = Mutex<PostgreSQLServer?>(nil)

    /// The one that tests share; each takes a schema of its own.
    package static func shared() throws -> PostgreSQLServer {
        try current.withLock { current in
            if let current { return current }
            let server = try PostgreSQLServer()
            current = server
            return server
        }
    }

    package let port: Int
    private let folder: String
    private let programs: String
    /// Its input ends with this process; then the server is stopped and its folder goes.
    private let watcher: Process
    private let lifeline: Pipe

    /// Starts a server that is nobody else's, for tests that stop it.
    package init() throws {
        programs = try Self.installedPrograms()
        port = try Self.freePort()
        folder = NSTemporaryDirectory() + "postgresql-" + UUID().uuidString.prefix(8)
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        (watcher, lifeline) = try Self.watch(programs: programs, folder: folder)
        try "test-\(UUID().uuidString)".write(toFile: folder + "/password", atomically: false, encoding: .utf8)
        chmod(folder + "/password", 0o600)
        try Self.runAsRoot("/usr/bin/chown", ["-R", "postgres", folder])
        try run(
            "initdb",
            [
                "--username=countersign", "--auth-local=trust", "--auth-host=scram-sha-256", "--encoding=UTF8",
                "--no-sync",
                "--pwfile=\(folder)/password", folder + "/data",
            ])
        try start()
    }

    /// Without a password, which is in `passwordFile`.
    package var url: String { "postgresql://countersign@127.0.0.1:\(port)/postgres" }
    package var passwordFile: String { folder + "/password" }

    package func start() throws {
        let options =
            "-p \(port) -c listen_addresses=127.0.0.1 -c unix_socket_directories=\(folder) -c max_connections=200"
        try run("pg_ctl", ["start", "-w", "-D", folder + "/data", "-l", folder + "/log", "-o", options])
    }

    package func stop() throws { try run("pg_ctl", ["stop", "-w", "-m", "fast", "-D", folder + "/data"]) }

    private func run(_ program: String, _ arguments: [String]) throws {
        try Self.run(Self.command(programs + "/" + program, arguments))
    }

    deinit {
        try? lifeline.fileHandleForWriting.close()
        watcher.waitUntilExit()
    }

    // MARK: processes

    private static func watch(programs: String, folder: String) throws -> (Process, Pipe) {
        let script = "cat >/dev/null; \"$0\" stop -w -m immediate -D \"$1/data\"; rm -rf \"$1\""
        let lifeline = Pipe()
        // The writing end must not live on in other children.
        _ = fcntl(lifeline.fileHandleForWriting.fileDescriptor, F_SETFD, FD_CLOEXEC)
        let command = command("/bin/sh", ["-c", script, programs + "/pg_ctl", folder])
        let watcher = Process()
        watcher.executableURL = URL(fileURLWithPath: command[0])
        watcher.arguments = Array(command.dropFirst())
        watcher.standardInput = lifeline
        watcher.standardOutput = FileHandle.nullDevice
        watcher.standardError = FileHandle.nullDevice
        try watcher.run()
        return (watcher, lifeline)
    }

    /// The server refuses to run as root.
    private static func command(_ program: String, _ arguments: [String]) -> [String] {
        guard geteuid() == 0 else { return [program] + arguments }
        return ["/usr/bin/setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups", program] + arguments
    }

    private static func runAsRoot(_ program: String, _ arguments: [String]) throws {
        if geteuid() == 0 { try run([program] + arguments) }
    }

    /// Not by `Process`, which would wait for the end of what the program leaves running too: the server.
    private static func run(_ command: [String]) throws {
        let arguments = command.map { strdup($0) } + [nil]
        defer { for argument in arguments { free(argument) } }
        var files = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&files)
        defer { posix_spawn_file_actions_destroy(&files) }
        for (descriptor, mode) in [(Int32(0), O_RDONLY), (1, O_WRONLY), (2, O_WRONLY)] {
            posix_spawn_file_actions_addopen(&files, descriptor, "/dev/null", mode, 0)
        }
        var (process, status) = (pid_t(), Int32())
        let failure = posix_spawn(&process, command[0], &files, nil, arguments, environ)
        guard failure == 0, waitpid(process, &status, 0) == process, status == 0 else {
            throw Refused(description: "\(command.joined(separator: " ")) failed with \(failure), \(status)")
        }
    }

    private static func installedPrograms() throws -> String {
        let root = "/usr/lib/postgresql"
        let versions = (try? FileManager.default.contentsOfDirectory(atPath: root)) ?? []
        guard let newest = versions.compactMap(Int.init).max() else {
            throw Refused(description: "no PostgreSQL server is installed: scripts/dependencies test installs it")
        }
        return "\(root)/\(newest)/bin"
    }

    /// Below the ports that the system gives to others.
    private static func freePort() throws -> Int {
        let first = Int.random(in: 21_000..<31_000)
        for port in first..<first + 1_000 where isFree(port) { return port }
        throw Refused(description: "no port is free from \(first)")
    }

    private static func isFree(_ port: Int) -> Bool {
        let probe = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(probe) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(probe, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
    }
}
