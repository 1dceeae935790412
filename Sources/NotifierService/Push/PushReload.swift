package import Logging
import ServiceLifecycle
import UnixSignals

/// Reads the accounts, and the key ring that opens them, again when the process gets SIGHUP. What is wrong with them is logged, and the old ones stay.
package struct PushReload: Service {
    private let directory: PushDirectory
    private let logger: Logger
    private let signals: UnixSignalsSequence

    /// From here on no SIGHUP is missed: make it before the accounts are read for the first time.
    package init(_ directory: PushDirectory, logger: Logger) async {
        self.directory = directory
        self.logger = logger
        signals = await UnixSignalsSequence(trapping: .sighup)
    }

    package func run() async throws {
        for await _ in signals.cancelOnGracefulShutdown() {
            do {
                try await directory.load()
                logger.info("push accounts read")
            } catch {
                logger.error("push accounts not read", metadata: ["error": "\(error)"])
            }
        }
    }
}
