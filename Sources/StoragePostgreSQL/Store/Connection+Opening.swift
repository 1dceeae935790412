import CPostgreSQL
import Domain
import Foundation
import Secrets
import Storage

extension Connection {
    private static let passwordFileBytesMax = 4096

    /// Connects and prepares the session. Blocks its thread for as long as the time to connect allows. Throws `StoreOpeningError`.
    convenience init(_ configuration: PostgreSQLConfiguration) throws(StoreOpeningError) {
        let handle = try Self.connect(configuration)
        self.init(handle)
        do throws(ScriptFailure) {
            try script(Self.session(configuration))
        } catch {
            throw .inaccessible(path: place(configuration), detail: error.message)
        }
    }

    /// The database and schema in words, without a password.
    func place(_ configuration: PostgreSQLConfiguration) -> String {
        Self.place(handle, configuration)
    }

    private static func place(_ handle: OpaquePointer, _ configuration: PostgreSQLConfiguration) -> String {
        func text(_ value: UnsafeMutablePointer<CChar>?) -> String { value.map { String(cString: $0) } ?? "" }
        let (database, host, port) = (text(PQdb(handle)), text(PQhost(handle)), text(PQport(handle)))
        return "PostgreSQL database \(database) at \(host):\(port), schema \(configuration.schema),"
    }

    private static func connect(_ configuration: PostgreSQLConfiguration) throws(StoreOpeningError) -> OpaquePointer {
        let parameters = try parameters(configuration)
        let handle = withTexts(parameters.map(\.0)) { keywords in
            // 1: `dbname` holds a whole URL; what stands after it wins over it.
            withTexts(parameters.map(\.1)) { values in PQconnectdbParams(keywords, values, 1) }
        }
        guard let handle else { throw .inaccessible(path: "PostgreSQL", detail: "no memory") }
        // Notices would go to standard error, which is not in our log's form.
        PQsetNoticeProcessor(handle, { _, _ in }, nil)
        guard PQstatus(handle) == CONNECTION_OK else {
            defer { PQfinish(handle) }
            throw .inaccessible(path: place(handle, configuration), detail: message(of: handle))
        }
        return handle
    }

    private static func parameters(
        _ configuration: PostgreSQLConfiguration
    ) throws(StoreOpeningError) -> [(String, String)] {
        let silence = configuration.silenceMax
        var parameters = [
            ("connect_timeout", "\(max(2, configuration.connectTimeout.components.seconds))"),
            ("target_session_attrs", "read-write"),
            ("keepalives_idle", "\(max(1, silence.components.seconds / 2))"),
            ("keepalives_interval", "\(max(1, silence.components.seconds / 6))"),
            ("keepalives_count", "3"),
            ("tcp_user_timeout", "\(silence.milliseconds)"),
            ("dbname", configuration.url),
            ("client_encoding", "UTF8"),
            ("application_name", configuration.applicationName),
        ]
        if let file = configuration.passwordFile { parameters.append(("password", try password(in: file))) }
        return parameters
    }

    private static func password(in path: String) throws(StoreOpeningError) -> String {
        do {
            let bytes = try PrivateFile.read(path, bytesMax: passwordFileBytesMax)
            return String(decoding: bytes, as: UTF8.self).trimmingCharacters(in: .newlines)
        } catch {
            throw .inaccessible(path: error.path, detail: error.detail)
        }
    }

    /// Without scans of whole tables: a serializable transaction that made one, which the planner prefers for a small table, is
    /// overtaken by every other one that writes to the table (PostgreSQL documentation, section 13.2.3). The price that this puts on a scan
    /// that nothing can avoid would have each compiled before it runs.
    private static func session(_ configuration: PostgreSQLConfiguration) -> String {
        """
        SET search_path TO "\(configuration.schema)";
        SET statement_timeout TO \(configuration.statementTimeout.milliseconds);
        SET enable_seqscan TO off;
        SET lock_timeout TO \(configuration.lockTimeout.milliseconds);
        SET idle_in_transaction_session_timeout TO \(configuration.idleTransactionTimeout.milliseconds);
        SELECT set_config('jit', 'off', false) FROM pg_settings WHERE name = 'jit';
        SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off';
        """
    }

    // MARK: scripts

    /// What the server says to a script, in its own words.
    struct ScriptFailure: Error {
        let sqlState: String
        let message: String
    }

    /// Runs statements one after another outside of pipeline mode and returns the first column of the last one, as text.
    @discardableResult
    func script(_ sql: String) throws(ScriptFailure) -> [String] {
        let answer = PQexec(handle, sql)
        defer { PQclear(answer) }
        switch PQresultStatus(answer) {
        case PGRES_COMMAND_OK: return []
        case PGRES_TUPLES_OK: return (0..<PQntuples(answer)).map { String(cString: PQgetvalue(answer, $0, 0)) }
        default:
            throw ScriptFailure(sqlState: ErrorField.sqlState.text(of: answer) ?? "", message: Self.message(of: handle))
        }
    }

    private static func message(of handle: OpaquePointer) -> String {
        String(cString: PQerrorMessage(handle)).split(whereSeparator: \.isNewline).joined(separator: " ")
    }
}

/// The texts as a list of C strings that ends with NULL, good while `body` runs.
private func withTexts<Result>(
    _ texts: [String], _ body: (UnsafePointer<UnsafePointer<CChar>?>) -> Result
) -> Result {
    let copies = texts.map { strdup($0) }
    defer { for copy in copies { free(copy) } }
    return (copies.map { $0.map { UnsafePointer($0) } } + [nil]).withUnsafeBufferPointer { buffer in
        guard let start = buffer.baseAddress else { preconditionFailure("the list holds its end at least") }
        return body(start)
    }
}
