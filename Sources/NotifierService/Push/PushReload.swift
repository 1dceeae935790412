package import Logging
import ServiceLifecycle
import UnixSignals

/// Reads the accounts again when the process gets SIGHUP. What is wrong with them is logged, and the old ones stay.
package struct PushReload: Service {
    private let directory: PushDirectory
    private let logger: Logger

    package init(_ directory: PushDirectory, logger: Logger) {
        self.directory = directory
        self.logger = logger
    }

    package func run() async throws {
        for await _ in await UnixSignalsSequence(trapping: .sighup).cancelOnGracefulShutdown() {
            do {
                try await directory.load()
                logger.info("push accounts read")
            } catch {
                logger.error("push accounts not read", metadata: ["error": "\(error)"])
            }
        }
    }
}
