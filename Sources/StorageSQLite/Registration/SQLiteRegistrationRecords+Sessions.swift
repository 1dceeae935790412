package import Domain
import Foundation
import GRDB
package import Storage

extension SQLiteRegistrationRecords {
    // MARK: passes

    package func pass(of person: PersonID, tenant: TenantID) throws -> StoredPass? {
        try record(
            """
            SELECT tenant, person, id, hash, created_at, expires_at, is_usable_once, used_at FROM access_pass
            WHERE tenant = ? AND person = ?
            """,
            [tenant.rawValue, person.rawValue]
        ) {
            StoredPass(
                tenant: TenantID($0["tenant"]), person: PersonID($0["person"]), id: $0["id"], hash: $0["hash"],
                createdAt: $0.time("created_at"), expiresAt: $0.time("expires_at"), isUsableOnce: $0["is_usable_once"],
                usedAt: $0.optionalTime("used_at"))
        }
    }

    package func save(_ pass: StoredPass) throws {
        try change(
            """
            INSERT OR REPLACE INTO access_pass (tenant, person, id, hash, created_at, expires_at, is_usable_once, used_at)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?)
            """,
            [
                pass.tenant.rawValue, pass.person.rawValue, pass.id, pass.hash, pass.createdAt.milliseconds,
                pass.expiresAt.milliseconds, pass.isUsableOnce, pass.usedAt?.milliseconds,
            ])
    }

    package func consumePass(_ id: String, of person: PersonID, tenant: TenantID, at time: Timestamp) throws -> Bool {
        try change(
            """
            UPDATE access_pass SET used_at = ? WHERE tenant = ? AND person = ? AND id = ? AND expires_at > ?
                AND (used_at IS NULL OR is_usable_once = 0)
            """,
            [time.milliseconds, tenant.rawValue, person.rawValue, id, time.milliseconds]) == 1
    }

    package func deletePass(of person: PersonID, tenant: TenantID) throws {
        try change("DELETE FROM access_pass WHERE tenant = ? AND person = ?", [tenant.rawValue, person.rawValue])
    }

    // MARK: sessions

    package func session(digest: [UInt8], tenant: TenantID) throws -> StoredSession? {
        try record(
            """
            SELECT tenant, digest, id, person, is_by_pass, created_at, last_used_at FROM web_session WHERE tenant = ? AND digest = ?
            """,
            [tenant.rawValue, Data(digest)]
        ) {
            StoredSession(
                tenant: TenantID($0["tenant"]), digest: $0.bytes("digest"), id: $0["id"],
                person: PersonID($0["person"]),
                isByPass: $0["is_by_pass"], createdAt: $0.time("created_at"), lastUsedAt: $0.time("last_used_at"))
        }
    }

    package func insert(_ session: StoredSession) throws {
        try change(
            """
            INSERT INTO web_session (tenant, digest, id, person, is_by_pass, created_at, last_used_at) VALUES (?, ?, ?, ?, ?, ?, ?)
            """,
            [
                session.tenant.rawValue, Data(session.digest), session.id, session.person.rawValue, session.isByPass,
                session.createdAt.milliseconds, session.lastUsedAt.milliseconds,
            ])
    }

    package func touchSession(digest: [UInt8], tenant: TenantID, at time: Timestamp) throws {
        try change(
            "UPDATE web_session SET last_used_at = max(last_used_at, ?) WHERE tenant = ? AND digest = ?",
            [time.milliseconds, tenant.rawValue, Data(digest)])
    }

    package func deleteSession(digest: [UInt8], tenant: TenantID) throws {
        try change("DELETE FROM web_session WHERE tenant = ? AND digest = ?", [tenant.rawValue, Data(digest)])
    }

    package func deleteSessions(of person: PersonID, tenant: TenantID, except digest: [UInt8]) throws -> Int {
        try change(
            "DELETE FROM web_session WHERE tenant = ? AND person = ? AND digest <> ?",
            [tenant.rawValue, person.rawValue, Data(digest)])
    }

    package func deleteSessions(of person: PersonID, tenant: TenantID, exceptID id: String) throws -> Int {
        try change(
            "DELETE FROM web_session WHERE tenant = ? AND person = ? AND id <> ?",
            [tenant.rawValue, person.rawValue, id])
    }

    package func take(_ challenge: ChallengeID, tenant: TenantID, at time: Timestamp) throws -> Bool {
        try change(
            "INSERT INTO session_challenge (tenant, challenge, taken_at) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
            [tenant.rawValue, challenge.rawValue, time.milliseconds]) == 1
    }

    package func takeGrant(session: String, tenant: TenantID, device: DeviceID, at time: Timestamp) throws -> Bool {
        try change(
            "INSERT INTO pass_grant (tenant, session, device, taken_at) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
            [tenant.rawValue, session, device.rawValue, time.milliseconds]) == 1
    }

    // MARK: attempts

    package func attempts(_ name: FoldedUsername, tenant: TenantID, rules: AttemptLimiter.Rules) throws
        -> AttemptLimiter
    {
        let found = try record(
            "SELECT failures, delays, next_allowed_at FROM password_attempts WHERE tenant = ? AND username = ?",
            [tenant.rawValue, name.rawValue]
        ) { row in
            let failures = try TextList.texts(row["failures"]).map {
                guard let milliseconds = Int64($0) else { throw StorageError.corrupt }
                return Timestamp(milliseconds: milliseconds)
            }
            return AttemptLimiter(
                rules: rules, failures: failures, delays: row["delays"],
                nextAllowedAt: row.optionalTime("next_allowed_at"))
        }
        return found ?? AttemptLimiter(rules: rules)
    }

    package func save(_ attempts: AttemptLimiter, name: FoldedUsername, tenant: TenantID) throws {
        guard let forgottenAt = attempts.forgottenAt else {
            try change(
                "DELETE FROM password_attempts WHERE tenant = ? AND username = ?", [tenant.rawValue, name.rawValue])
            return
        }
        try change(
            """
            INSERT OR REPLACE INTO password_attempts (tenant, username, failures, delays, next_allowed_at, forgotten_at)
            VALUES (?, ?, ?, ?, ?, ?)
            """,
            [
                tenant.rawValue, name.rawValue, TextList.json(attempts.failures.map { String($0.milliseconds) }),
                attempts.delays,
                attempts.nextAllowedAt?.milliseconds, forgottenAt.milliseconds,
            ])
    }
}
