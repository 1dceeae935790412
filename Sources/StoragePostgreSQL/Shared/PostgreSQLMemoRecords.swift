import Domain
import Storage

/// The stored replies of a service, over the table of `PostgreSQLMigration.memo`. A service's records adopt it and get its methods.
protocol PostgreSQLMemoRecords: PostgreSQLRecords, MemoRecords {}

extension PostgreSQLMemoRecords {
    func memo(_ request: RequestID) throws -> Memo? {
        try row("SELECT fingerprint, reply, reply_until, kept_until FROM memo WHERE request = ?", [request.bytes]).map {
            Memo(
                request: request, fingerprint: try $0["fingerprint"], reply: try $0.optional("reply") ?? [],
                replyUntil: try $0.time("reply_until"), keptUntil: try $0.time("kept_until"))
        }
    }

    func insert(_ memo: Memo) throws {
        try insert(
            "INSERT INTO memo (request, fingerprint, reply, reply_until, kept_until) VALUES (?, ?, ?, ?, ?)",
            [
                memo.request.bytes, memo.fingerprint, memo.reply, memo.replyUntil.milliseconds,
                memo.keptUntil.milliseconds,
            ])
    }

    func deleteMemos(keptUntilBefore time: Timestamp, limit: Int) throws -> Int {
        let deleted = try change(
            "DELETE FROM memo WHERE request IN (SELECT request FROM memo WHERE kept_until < ? ORDER BY kept_until LIMIT ?)",
            [time.milliseconds, limit])
        let emptied = try change(
            """
            UPDATE memo SET reply = NULL WHERE request IN (
                SELECT request FROM memo
                WHERE reply IS NOT NULL AND reply_until < kept_until AND reply_until < ? ORDER BY reply_until LIMIT ?)
            """,
            [time.milliseconds, limit])
        return max(deleted, emptied)
    }
}

extension RequestID {
    /// 16 bytes, in the order of time for ids that begin with it.
    var bytes: [UInt8] { [high, low].flatMap { word in withUnsafeBytes(of: word.bigEndian) { Array($0) } } }
}
