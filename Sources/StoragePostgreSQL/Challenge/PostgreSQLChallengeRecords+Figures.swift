import Domain
import Storage

extension PostgreSQLChallengeRecords {
    func signInGroups(tenant: TenantID, in range: SignInRange, linesMax: Int) throws -> [SignInGroup] {
        // An answer that was not redeemed in time was still given: its line has a method.
        try rows(
            """
            SELECT CAST(div(at - CAST(? AS BIGINT), CAST(? AS BIGINT)) AS BIGINT) AS step, status, is_decoy,
                CASE WHEN NOT is_decoy AND (method IS NOT NULL OR status = 'denied')
                    THEN CAST(div(settled_at - at, 100) AS BIGINT) END AS tenths,
                count(*) AS lines, min(at) AS earliest
            FROM (
                SELECT at, status, is_decoy, method, settled_at FROM sign_in
                WHERE tenant = ? AND at >= ? AND at < ? AND purpose IN ('signIn', 'secondFactor')
                ORDER BY at DESC, id DESC LIMIT ?) AS latest
            GROUP BY step, status, is_decoy, tenths
            """,
            [
                range.from.milliseconds, range.stepSeconds * 1000, tenant.rawValue, range.from.milliseconds,
                range.to.milliseconds, linesMax,
            ]
        ).map { row in
            try SignInGroup(
                step: row["step"], status: row.word("status"), isDecoy: row["is_decoy"],
                answerTenths: row.optional("tenths"), count: row["lines"], earliest: row.time("earliest"))
        }
    }
}
