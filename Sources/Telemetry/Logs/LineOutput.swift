import Glibc
import Synchronization

/// A file descriptor that takes whole lines: one at a time, each handed to the system before the caller goes on, so that the last
/// words of a process that dies are not lost with a buffer.
package final class LineOutput: Sendable {
    private let descriptor: Mutex<Int32>

    /// Does not close the descriptor.
    package init(descriptor: Int32) { self.descriptor = Mutex(descriptor) }

    package static let standardOutput = LineOutput(descriptor: STDOUT_FILENO)
    package static let standardError = LineOutput(descriptor: STDERR_FILENO)

    package func write(_ line: String) {
        var line = line
        line.withUTF8 { bytes in
            // The bytes outlive the calls: withUTF8 keeps them until the closure returns.
            descriptor.withLock { descriptor in
                var rest = UnsafeRawBufferPointer(bytes)
                while !rest.isEmpty {
                    let count = Glibc.write(descriptor, rest.baseAddress, rest.count)
                    if count > 0 {
                        rest = UnsafeRawBufferPointer(rebasing: rest[count...])
                    } else if !waitOut(errno, descriptor) {
                        return
                    }
                }
            }
        }
    }

    /// Whether to try again. A log that cannot be written must not stop the process.
    private func waitOut(_ error: Int32, _ descriptor: Int32) -> Bool {
        if error == EINTR { return true }
        guard error == EAGAIN else { return false }
        var wanted = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
        return poll(&wanted, 1, 1_000) > 0
    }
}
