package import Domain
package import Logging

/// Writes each record as one line of JSON: `ts`, `level`, `service`, `instance`, `msg`, then the metadata's keys, nested ones joined
/// by a dot. Metadata that takes one of these names gets an underscore after it.
package struct JSONLogHandler: LogHandler {
    package var metadata: Logger.Metadata = [:]
    package var metadataProvider: Logger.MetadataProvider?
    package var logLevel: Logger.Level

    private let identity: LogIdentity
    private let now: @Sendable () -> Timestamp
    private let write: @Sendable (_ line: String) -> Void

    /// `write` gets whole lines with their line break, from any thread.
    package init(
        identity: LogIdentity, level: Logger.Level, now: @escaping @Sendable () -> Timestamp,
        write: @escaping @Sendable (_ line: String) -> Void
    ) {
        self.identity = identity
        logLevel = level
        self.now = now
        self.write = write
    }

    package subscript(metadataKey key: String) -> Logger.MetadataValue? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    package func log(event: LogEvent) {
        // Most lines have their own alone, and no two dictionaries to become one.
        var all = event.metadata ?? [:]
        if let provided = metadataProvider?.get() { all.merge(provided) { given, _ in given } }
        if !metadata.isEmpty { all.merge(metadata) { given, _ in given } }
        if let error = event.error { all["error"] = "\(error)" }

        var line = JSONLine()
        line.add("ts", string: now().description)
        line.add("level", string: event.level.rawValue)
        line.add("service", string: identity.service)
        line.add("instance", string: identity.instance)
        line.add("msg", string: event.message.description)
        line.add(all)
        write(line.text)
    }
}

/// Which process speaks.
package struct LogIdentity: Sendable, Hashable {
    package let service: String
    package let instance: String

    package init(service: String, instance: String) {
        self.service = service
        self.instance = instance
    }
}
