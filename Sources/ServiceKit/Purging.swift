package import Logging
package import Storage

/// Runs `purge` at once and then after every `interval`, until the task is cancelled. What fails is logged, and done the next time.
///
/// A purge deletes what a service need no longer keep.
package func keepPurging(
    every interval: Duration, logger: Logger,
    pause: @Sendable (Duration) async throws -> Void = { try await Task.sleep(for: $0) },
    _ purge: @Sendable () async throws -> Void
) async {
    await atIntervals(of: interval, pause: pause) {
        do {
            try await purge()
        } catch  where !(error is CancellationError) {
            logger.warning("purge failed", metadata: ["error": "\(error)"])
        } catch {}
    }
}

extension Store {
    /// Deletes by `delete`, which gets the records and how many rows of them it may delete, in one transaction after another until less
    /// than `batchMax` are left: no write waits long behind one of them.
    package func purge(_ batchMax: Int, _ delete: @escaping @Sendable (Records, Int) throws -> Int) async throws {
        while try await write({ try delete($0, batchMax) }) >= batchMax { try Task.checkCancellation() }
    }
}
