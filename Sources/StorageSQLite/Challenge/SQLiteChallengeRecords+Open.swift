package import Domain
import Foundation
import GRDB
package import Storage

extension SQLiteChallengeRecords {
    package func challenge(_ id: ChallengeID, tenant: TenantID) throws -> ChallengeRecord? {
        try rows("SELECT * FROM challenge WHERE id = ? AND tenant = ?", [id.rawValue, tenant.rawValue]).first.map(
            Self.challenge)
    }

    package func insert(_ challenge: ChallengeRecord) throws {
        try execute(
            """
            INSERT INTO challenge (
                id, tenant, purpose, username, person, person_username, display_name, groups, may_use_codes, client,
                browser_digest, secret_digest, number, content, created_at, expires_at, redeem_window, is_decoy, is_silenced,
                takes_code_in_every_mode, only_device, trace, targets, status, reason, method, tries_left, settled_at, answered,
                code_digest, receipt_device, receipt_answer, receipt_key, is_password_verified, lapses_at, revision)
            VALUES (
                :id, :tenant, :purpose, :username, :person, :person_username, :display_name, :groups, :may_use_codes, :client,
                :browser_digest, :secret_digest, :number, :content, :created_at, :expires_at, :redeem_window, :is_decoy,
                :is_silenced, :takes_code_in_every_mode, :only_device, :trace, :targets, :status, :reason, :method,
                :tries_left, :settled_at, :answered, :code_digest, :receipt_device, :receipt_answer, :receipt_key, :is_password_verified,
                :lapses_at, :revision)
            ON CONFLICT (id) DO NOTHING
            """,
            StatementArguments(Self.fixed(challenge).merging(try Self.changing(challenge)) { _, last in last }))
        guard database.changesCount == 1 else { throw StorageError.alreadyExists }
    }

    package func update(_ challenge: ChallengeRecord) throws {
        var values = try Self.changing(challenge)
        values["id"] = Self.column(challenge.id.rawValue)
        values["from_revision"] = Self.column(challenge.revision)
        values["revision"] = Self.column(challenge.revision + 1)
        try execute(
            """
            UPDATE challenge SET
                targets = :targets, status = :status, reason = :reason, method = :method, tries_left = :tries_left,
                settled_at = :settled_at, answered = :answered, code_digest = :code_digest, receipt_device = :receipt_device,
                receipt_answer = :receipt_answer, receipt_key = :receipt_key, is_password_verified = :is_password_verified,
                lapses_at = :lapses_at, revision = :revision
            WHERE id = :id AND revision = :from_revision
            """,
            StatementArguments(values))
        guard database.changesCount == 1 else { throw StorageError.conflict }
    }

    package func liveChallenges(tenant: TenantID, person: PersonID) throws -> [ChallengeRecord] {
        try rows(
            """
            SELECT * FROM challenge WHERE tenant = ? AND person = ? AND lapses_at IS NOT NULL
            AND (is_decoy = 0 OR status <> 'pending') ORDER BY created_at, id
            """,
            [tenant.rawValue, person.rawValue]
        ).map(Self.challenge)
    }

    package func pendingDecoys(tenant: TenantID, person: PersonID, createdUntil: Timestamp, limit: Int) throws
        -> [ChallengeRecord]
    {
        try rows(
            """
            SELECT * FROM challenge WHERE tenant = ? AND person = ? AND lapses_at IS NOT NULL
            AND is_decoy = 1 AND status = 'pending' AND created_at <= ? ORDER BY created_at, id LIMIT ?
            """,
            [tenant.rawValue, person.rawValue, createdUntil.milliseconds, limit]
        ).map(Self.challenge)
    }

    package func lapses(after: Lapse?, limit: Int) throws -> [Lapse] {
        try rows(
            """
            SELECT lapses_at, id, tenant FROM challenge
            WHERE lapses_at IS NOT NULL AND (lapses_at, id) > (?, ?) ORDER BY lapses_at, id LIMIT ?
            """,
            [after?.at.milliseconds ?? .min, after?.id.rawValue ?? "", limit]
        ).map { Lapse(at: $0.time("lapses_at"), id: $0.id("id"), tenant: $0.id("tenant")) }
    }

    package func deleteChallenges(settledBefore time: Timestamp, limit: Int) throws -> Int {
        try execute(
            """
            DELETE FROM challenge WHERE rowid IN
                (SELECT rowid FROM challenge WHERE lapses_at IS NULL AND settled_at < ? ORDER BY settled_at LIMIT ?)
            """,
            [time.milliseconds, limit])
        return database.changesCount
    }
}

// MARK: Columns

extension SQLiteChallengeRecords {
    private typealias Values = [String: DatabaseValue]

    private static func column(_ value: (any DatabaseValueConvertible)?) -> DatabaseValue {
        value?.databaseValue ?? .null
    }

    private static func fixed(_ challenge: ChallengeRecord) -> Values {
        var values: Values = [:]
        values["id"] = column(challenge.id.rawValue)
        values["tenant"] = column(challenge.tenant.rawValue)
        values["purpose"] = column(challenge.purpose.rawValue)
        values["username"] = column(challenge.username)
        values["person"] = column(challenge.person?.id.rawValue)
        values["person_username"] = column(challenge.person?.username ?? "")
        values["display_name"] = column(challenge.person?.displayName ?? "")
        values["groups"] = column((challenge.person?.groups ?? []).map(\.rawValue).sorted().joined(separator: "\n"))
        values["may_use_codes"] = column(challenge.person?.mayUseCodes ?? false)
        values["client"] = column(challenge.owner.client?.rawValue)
        values["browser_digest"] = column(Data(challenge.owner.browserDigest))
        values["secret_digest"] = column(Data(challenge.secretDigest))
        values["number"] = column(challenge.number)
        values["content"] = column(Data(challenge.content))
        values["created_at"] = column(challenge.createdAt.milliseconds)
        values["expires_at"] = column(challenge.machine.rules.expiresAt.milliseconds)
        values["redeem_window"] = column(challenge.machine.rules.redeemWindow?.milliseconds)
        values["is_decoy"] = column(challenge.isDecoy)
        values["is_silenced"] = column(challenge.isSilenced)
        values["takes_code_in_every_mode"] = column(challenge.takesCodeInEveryMode)
        values["only_device"] = column(challenge.onlyDevice?.rawValue)
        values["trace"] = column(challenge.trace)
        values["revision"] = column(challenge.revision)
        return values
    }

    private static func changing(_ challenge: ChallengeRecord) throws -> Values {
        let state = challenge.machine.state
        var values: Values = [:]
        values["targets"] = column(challenge.targets.map(\.rawValue).joined(separator: "\n"))
        values["status"] = column(state.status.rawValue)
        values["reason"] = column(state.reason?.rawValue)
        values["method"] = column(state.method?.rawValue)
        values["tries_left"] = column(state.triesLeft)
        values["settled_at"] = column(state.settledAt?.milliseconds)
        values["answered"] = try column(AnswerList.json(state.answered))
        values["code_digest"] = column(Data(state.codeDigest))
        values["receipt_device"] = column(challenge.receipt?.device.rawValue)
        values["receipt_answer"] = column(challenge.receipt?.answer ?? "")
        values["receipt_key"] = column(Data(challenge.receipt?.key ?? []))
        values["is_password_verified"] = column(challenge.isPasswordVerified)
        values["lapses_at"] = column(challenge.machine.lapsesAt?.milliseconds)
        return values
    }

    private static func challenge(_ row: Row) throws -> ChallengeRecord {
        var begin = ChallengeRecord.Begin(
            id: row.id("id"), tenant: row.id("tenant"), purpose: try row.word("purpose"), username: row["username"],
            number: row["number"], content: row.bytes("content"), createdAt: row.time("created_at"))
        begin.person = row.optionalID("person").map { (id: PersonID) in
            ChallengeRecord.Person(
                id: id, username: row["person_username"], displayName: row["display_name"],
                groups: Set(row.lines("groups").map(GroupID.init(rawValue:))), mayUseCodes: row["may_use_codes"])
        }
        begin.owner = .init(client: row.optionalID("client"), browserDigest: row.bytes("browser_digest"))
        begin.secretDigest = row.bytes("secret_digest")
        begin.isSilenced = row["is_silenced"]
        begin.takesCodeInEveryMode = row["takes_code_in_every_mode"]
        begin.onlyDevice = row.optionalID("only_device")
        begin.trace = row["trace"]
        begin.targets = row.lines("targets").map(DeviceID.init(rawValue:))
        let receipt = row.optionalID("receipt_device").map { (device: DeviceID) in
            ChallengeRecord.Receipt(device: device, answer: row["receipt_answer"], key: row.bytes("receipt_key"))
        }
        return ChallengeRecord(
            begin, machine: try machine(row), receipt: receipt, isPasswordVerified: row["is_password_verified"],
            revision: row["revision"])
    }

    private static func machine(_ row: Row) throws -> ChallengeMachine {
        var state = ChallengeMachine.State(triesLeft: row["tries_left"])
        state.status = try row.word("status")
        state.reason = try row.optionalWord("reason")
        state.method = try row.optionalWord("method")
        state.settledAt = row.optionalTime("settled_at")
        state.answered = try AnswerList.answers(row["answered"])
        state.codeDigest = row.bytes("code_digest")
        let rules = ChallengeMachine.Rules(
            expiresAt: row.time("expires_at"), redeemWindow: (row["redeem_window"] as Int64?).map { .milliseconds($0) },
            isDecoy: row["is_decoy"])
        return ChallengeMachine(rules: rules, state: state)
    }
}
