import ArgumentParser
import Storage
import StoreCopy

struct StoreCommands: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "store", abstract: "Works on the services' databases, while they are stopped.",
        subcommands: [Copy.self])

    struct Copy: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Moves an installation from SQLite files to a PostgreSQL database.",
            discussion: """
                Everything or nothing: one transaction over all services, each row read back and compared before it is committed. The
                files stay as they are. Needs the services stopped, and schemas (named after the services) that are missing or empty.

                Exit codes: 65 the two do not fit each other, 66 a file is missing, 69 the database cannot be reached, 73 it is not
                empty, 75 a process still uses one of the two.
                """)

        @Option(help: ArgumentHelp("The installation: SERVICE/SERVICE.sqlite for each service.", valueName: "folder"))
        var from: String

        @Option(
            help: ArgumentHelp("The database, a postgresql:// URL as in store.postgresql.url, without a password."))
        var to: String

        @Option(
            help: ArgumentHelp("A file of the password alone, that only its owner may read.", valueName: "file"))
        var passwordFile: String?

        @Flag(help: "Print one JSON object a table, on one line.")
        var json = false

        func run() async throws {
            try await reporting {
                guard PostgreSQLConfiguration.isURL(to) else {
                    throw AdminFailure(
                        .usage, "--to must be a postgresql:// URL without a password, which goes into --password-file")
                }
                let database = PostgreSQLConfiguration(
                    url: to, passwordFile: passwordFile, schema: "public", applicationName: "countersign-admin")
                let moved: [StoreCopy.Moved]
                do {
                    moved = try StoreCopy(from: from, to: database).run()
                } catch {
                    throw AdminFailure(copying: error)
                }
                let output = Output(isJSON: json)
                try output.list(
                    moved,
                    [
                        ("service", { $0.service }), ("table", { $0.table }), ("rows", { "\($0.rows)" }),
                        ("sha256", { $0.digest }),
                    ])
                output.done("\(moved.reduce(0) { $0 + $1.rows }) rows are moved, and are what they were.")
            }
        }
    }
}

extension AdminFailure {
    /// Why a copy was not made.
    fileprivate init(copying error: any Error) {
        switch error {
        case let error as StoreCopyError: self.init(Self.kind(error), error.description)
        case let error as StoreOpeningError: self.init(Self.kind(error), error.description)
        default: self.init(.badData, "the files cannot be read: \(error)")
        }
    }

    private static func kind(_ error: StoreCopyError) -> Kind {
        switch error {
        case .missing: .noInput
        case .inUse: .tryLater
        case .notEmpty: .cannotWrite
        case .otherShape, .refused, .differs: .badData
        case .unknown, .connectionLost: .unavailable
        }
    }

    private static func kind(_ error: StoreOpeningError) -> Kind {
        switch error {
        case .owned: .tryLater
        case .newer, .foreign: .badData
        case .inaccessible: .unavailable
        }
    }
}
