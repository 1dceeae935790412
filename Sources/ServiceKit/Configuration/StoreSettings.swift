import Domain
import Storage
import Wire

/// The keys that say where a service keeps its records.
package struct StoreSettings: Sendable {
    private let service: ServiceName
    private let kind: Setting<String>
    private let path: Setting<String>
    private let url: Setting<String>
    private let passwordFile: Setting<String>
    private let schema: Setting<String>
    private let connections: Setting<Int>
    private let connectTimeout: Setting<Duration>
    private let statementTimeout: Setting<Duration>
    private let lockTimeout: Setting<Duration>

    init(_ service: ServiceName) {
        let name = service.rawValue
        self.service = service
        kind = .choice(
            "store.kind", default: "sqlite", of: ["sqlite", "postgresql"],
            help: "A file of this process alone, or a schema that several processes of this service may share.")
        path = .path(
            "store.path", default: "var/\(name)/\(name).sqlite", help: "The SQLite file; not read with postgresql.")
        url = .text(
            "store.postgresql.url", default: "postgresql://127.0.0.1:5432/countersign",
            accepts: "a postgresql:// URL without a password",
            help: "The database; hosts, user, sslmode and sslrootcert go in here.")
        passwordFile = .text(
            "store.postgresql.passwordFile", default: "", accepts: "a path, or empty",
            help: "A file of the password alone that only this user reads, read at each connect.")
        schema = .text(
            "store.postgresql.schema", default: name,
            accepts: "a lower-case name of letters, digits and underscores, 63 at most", isAccepted: Self.isName,
            help: "The schema of this service alone, made at the first start where that is allowed.")
        connections = .number(
            "store.postgresql.connections", default: 8, in: 1...256,
            help:
                "Connections of this process, each with a thread: as many transactions at the same time; one more listens."
        )
        connectTimeout = .duration(
            "store.postgresql.connectTimeout", default: .seconds(5), in: .seconds(2)...Duration.seconds(60),
            help: "How long connecting to one address of one host may take, in whole seconds.")
        statementTimeout = .duration(
            "store.postgresql.statementTimeout", default: .seconds(5),
            in: .milliseconds(100)...Duration.seconds(300), help: "How long a statement may take.")
        lockTimeout = .duration(
            "store.postgresql.lockTimeout", default: .seconds(2), in: .milliseconds(100)...Duration.seconds(300),
            help: "How long a statement may wait for a lock.")
    }

    /// In the order in which they are printed.
    var keys: [SettingKey] {
        [
            kind.key, path.key, url.key, passwordFile.key, schema.key, connections.key, connectTimeout.key,
            statementTimeout.key, lockTimeout.key,
        ]
    }

    /// Throws for a URL that is none or holds a password. It is not repeated: what is printed is read by others.
    func check(_ settings: Settings) throws(ConfigurationProblem) {
        guard PostgreSQLConfiguration.isURL(settings[url]) else {
            throw .refused(
                "\(url.key.name) must be \(url.key.accepts); the password goes into a file, see \(passwordFile.key.name)"
            )
        }
    }

    func configuration(_ settings: Settings) -> StoreConfiguration {
        guard settings[kind] == "postgresql" else { return .sqlite(path: settings[path]) }
        var configuration = PostgreSQLConfiguration(
            url: settings[url], passwordFile: settings[passwordFile].isEmpty ? nil : settings[passwordFile],
            schema: settings[schema], applicationName: "countersign-\(service.rawValue)")
        configuration.connections = settings[connections]
        configuration.connectTimeout = settings[connectTimeout]
        configuration.statementTimeout = settings[statementTimeout]
        configuration.lockTimeout = settings[lockTimeout]
        return .postgresql(configuration)
    }

    private static func isName(_ text: String) -> Bool {
        let isWord = text.utf8.allSatisfy {
            (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || $0 == 0x5F
        }
        return isWord && (1...63).contains(text.utf8.count) && !text.hasPrefix("pg_") && text.first?.isNumber == false
    }
}
