import CPostgreSQL
import Foundation
import Storage
import Synchronization

/// Hears the words of other processes, on a connection and a thread of its own (PostgreSQL documentation, LISTEN).
final class Listener: Sendable {
    /// Words that nobody has taken yet; when more come, the reader is told that it missed some.
    private static let waitingMax = 4_096
    /// Milliseconds.
    private static let pauses = (first: 50.0, longest: 2_000.0)

    let announcements: AsyncStream<StoreAnnouncement>
    private let continuation: AsyncStream<StoreAnnouncement>.Continuation
    private let configuration: PostgreSQLConfiguration
    private let channel: String
    private let name: String
    /// A pipe: closing the end for writing wakes the thread, which closes the other one.
    private let wake: (reading: Int32, writing: Int32)
    private let isStopped = Atomic(false)

    init(_ configuration: PostgreSQLConfiguration, channel: String, name: String) {
        self.configuration = configuration
        self.channel = channel
        self.name = name
        (announcements, continuation) = AsyncStream.makeStream(bufferingPolicy: .bufferingOldest(Self.waitingMax))
        var ends: [Int32] = [-1, -1]
        // Fails only when the process has no descriptors left, and then nothing else works either.
        precondition(pipe(&ends) == 0, "a pipe can be made")
        wake = (ends[0], ends[1])
    }

    func start() {
        let thread = Thread { self.run() }
        thread.name = "store-announcements"
        thread.start()
    }

    func stop() {
        guard isStopped.compareExchange(expected: false, desired: true, ordering: .relaxed).exchanged else { return }
        close(wake.writing)
    }

    private func run() {
        var pause = Self.pauses.first
        while true {
            if let connection = try? listening() {
                pause = Self.pauses.first
                // What was announced before this moment was not heard.
                var hasMissed = true
                // Until the reader has room for the word that it missed some.
                repeat { hear(connection, &hasMissed) } while wait(for: connection, milliseconds: hasMissed ? 50 : -1)
            }
            // Nobody listens for as long as this; `missed` follows.
            if !wait(for: nil, milliseconds: Int32(Double.random(in: pause / 2...pause))) { break }
            pause = min(pause * 2, Self.pauses.longest)
        }
        continuation.finish()
        close(wake.reading)
    }

    private func listening() throws -> Connection {
        let connection = try Connection(configuration)
        try connection.script("LISTEN \"\(channel)\"")
        return connection
    }

    /// Passes on what has come.
    private func hear(_ connection: Connection, _ hasMissed: inout Bool) {
        if hasMissed { hasMissed = !pass(.missed) }
        while let notification = PQnotifies(connection.handle) {
            let said = String(cString: notification.pointee.extra)
            // Its memory is libpq's, and ours to give back.
            PQfreemem(notification)
            guard let announcement = Announced.heard(said, by: name) else { continue }
            if !pass(announcement) { hasMissed = true }
        }
    }

    /// False when the reader is too far behind.
    private func pass(_ item: StoreAnnouncement) -> Bool {
        if case .dropped = continuation.yield(item) { return false }
        return true
    }

    /// Returns true when the connection has something to say, or, without one, when the time is over; false when it is lost or all ends.
    private func wait(for connection: Connection?, milliseconds: Int32) -> Bool {
        var descriptors = [pollfd(fd: wake.reading, events: Int16(POLLIN), revents: 0)]
        if let connection {
            descriptors.append(pollfd(fd: PQsocket(connection.handle), events: Int16(POLLIN), revents: 0))
        }
        while poll(&descriptors, nfds_t(descriptors.count), milliseconds) < 0 {
            guard errno == EINTR else { return false }
        }
        if isStopped.load(ordering: .relaxed) { return false }
        guard let connection else { return true }
        return PQconsumeInput(connection.handle) == 1 && PQstatus(connection.handle) == CONNECTION_OK
    }
}
