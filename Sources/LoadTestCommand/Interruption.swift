import UnixSignals

/// What Ctrl-C and SIGTERM do: they cancel the work, which has time to tidy up.
enum Interruption {
    /// The result of `work`, nil when an interruption left none, and whether it was interrupted.
    static func watching<Value: Sendable>(_ work: @escaping @Sendable () async throws -> Value) async throws -> (
        value: Value?, isInterrupted: Bool
    ) {
        let signals = await UnixSignalsSequence(trapping: .sigint, .sigterm)
        let task = Task { try await work() }
        let watch = Task {
            for await _ in signals { task.cancel() }
        }
        let result = await task.result
        watch.cancel()
        let isInterrupted = task.isCancelled
        do {
            return (try result.get(), isInterrupted)
        } catch {
            if isInterrupted { return (nil, true) }
            throw error
        }
    }
}
