/// Runs `body` in a task of its own, and is cancelled with it, so that the memory which its calls needed goes when they have ended.
///
/// A task keeps what it once had for its frames until its end (Swift runtime, `TaskAllocator`). One that then waits for an hour, as a
/// stream's does, would hold the frames of a call between processes for as long: some KiB of each stream.
func inOwnTask<Result: Sendable>(_ body: @escaping @Sendable () async throws -> Result) async throws -> Result {
    let task = Task { try await body() }
    return try await withTaskCancellationHandler {
        try await task.value
    } onCancel: {
        task.cancel()
    }
}
