package import Domain
import Foundation
import GRDB
package import Storage

/// The stored replies of a service, over the table of `SQLiteMigration.memo`. A service's records adopt it and get its methods.
package protocol SQLiteMemoRecords: SQLiteRecords, MemoRecords {}

extension SQLiteMemoRecords {
    package func memo(_ request: RequestID) throws -> Memo? {
        try record("SELECT fingerprint, reply, reply_until, kept_until FROM memo WHERE request = ?", [request.blob]) {
            row in
            Memo(
                request: request, fingerprint: Array(row[0] as Data), reply: Array(row[1] as Data? ?? Data()),
                replyUntil: Timestamp(milliseconds: row[2]), keptUntil: Timestamp(milliseconds: row[3]))
        }
    }

    package func insert(_ memo: Memo) throws {
        // The key's own conflict is told apart from other constraints by the count of changes.
        try database.cachedStatement(sql: "INSERT INTO memo VALUES (?, ?, ?, ?, ?) ON CONFLICT (request) DO NOTHING")
            .execute(
                arguments: [
                    memo.request.blob, Data(memo.fingerprint), Data(memo.reply), memo.replyUntil.milliseconds,
                    memo.keptUntil.milliseconds,
                ])
        guard database.changesCount == 1 else { throw StorageError.alreadyExists }
    }

    package func deleteMemos(keptUntilBefore time: Timestamp, limit: Int) throws -> Int {
        try database.cachedStatement(
            sql:
                "DELETE FROM memo WHERE request IN (SELECT request FROM memo WHERE kept_until < ? ORDER BY kept_until LIMIT ?)"
        ).execute(arguments: [time.milliseconds, limit])
        let deleted = database.changesCount
        try database.cachedStatement(
            sql: """
                UPDATE memo SET reply = NULL WHERE request IN (
                    SELECT request FROM memo
                    WHERE reply IS NOT NULL AND reply_until < kept_until AND reply_until < ? ORDER BY reply_until LIMIT ?)
                """
        ).execute(arguments: [time.milliseconds, limit])
        return max(deleted, database.changesCount)
    }
}

extension RequestID {
    /// 16 bytes, in the order of time for ids that begin with it.
    var blob: Data {
        var data = Data(capacity: 16)
        for word in [high, low] { withUnsafeBytes(of: word.bigEndian) { data.append(contentsOf: $0) } }
        return data
    }
}
