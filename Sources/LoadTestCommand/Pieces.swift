import Foundation

extension FileHandle {
    /// What can be read, as it comes, until its end. A thread of its own waits for it: a `readabilityHandler` does not hear of the end of
    /// a pipe that is closed while the handler has data to read, because Dispatch forgets the source at EPOLLHUP.
    func pieces() -> AsyncStream<Data> {
        let (pieces, piece) = AsyncStream<Data>.makeStream()
        Thread.detachNewThread {
            while case let data = self.availableData, !data.isEmpty { piece.yield(data) }
            piece.finish()
        }
        return pieces
    }
}
