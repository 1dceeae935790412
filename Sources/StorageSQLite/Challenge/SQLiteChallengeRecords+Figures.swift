package import Domain
import GRDB
package import Storage

extension SQLiteChallengeRecords {
    package func signInGroups(tenant: TenantID, in range: SignInRange, linesMax: Int) throws -> [SignInGroup] {
        // An answer that was not redeemed in time was still given: its line has a method.
        try records(
            """
            SELECT (at - :from) / :step AS step, status, is_decoy,
                CASE WHEN is_decoy = 0 AND (method IS NOT NULL OR status = 'denied') THEN (settled_at - at) / 100 END AS tenths,
                count(*) AS lines, min(at) AS earliest
            FROM (
                SELECT at, status, is_decoy, method, settled_at FROM sign_in
                WHERE tenant = :tenant AND at >= :from AND at < :to AND purpose IN ('signIn', 'secondFactor')
                ORDER BY at DESC, id DESC LIMIT :limit)
            GROUP BY step, status, is_decoy, tenths
            """,
            [
                "tenant": tenant.rawValue, "from": range.from.milliseconds, "to": range.to.milliseconds,
                "step": range.stepSeconds * 1000, "limit": linesMax,
            ]
        ) { row in
            SignInGroup(
                step: row["step"], status: try row.word("status"), isDecoy: row["is_decoy"],
                answerTenths: row["tenths"],
                count: row["lines"], earliest: row.time("earliest"))
        }
    }
}
