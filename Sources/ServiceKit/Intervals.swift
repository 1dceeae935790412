/// Runs `body` at once and then after every `interval`, until the task is cancelled: for work that nothing calls for but time, and that no
/// request waits for.
package func atIntervals(
    of interval: Duration, pause: @Sendable (Duration) async throws -> Void = { try await Task.sleep(for: $0) },
    _ body: @Sendable () async -> Void
) async {
    while !Task.isCancelled {
        await body()
        // Cancelled while pausing: the loop's condition ends it.
        try? await pause(interval)
    }
}
