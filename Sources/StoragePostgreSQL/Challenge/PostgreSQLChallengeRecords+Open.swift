import Domain
import Foundation
import Storage

extension PostgreSQLChallengeRecords {
    func challenge(_ id: ChallengeID, tenant: TenantID) throws -> ChallengeRecord? {
        try rows("SELECT * FROM challenge WHERE id = ? AND tenant = ?", [id.rawValue, tenant.rawValue]).first.map(
            Self.challenge)
    }

    func insert(_ challenge: ChallengeRecord) throws {
        let columns = try Self.fixed(challenge) + Self.changing(challenge) + [("revision", challenge.revision)]
        let names = columns.map(\.name).joined(separator: ", ")
        let places = columns.map { _ in "?" }.joined(separator: ", ")
        try insert("INSERT INTO challenge (\(names)) VALUES (\(places))", columns.map(\.value))
    }

    func update(_ challenge: ChallengeRecord) throws {
        let columns = try Self.changing(challenge) + [("revision", challenge.revision + 1)]
        let changes = columns.map { "\($0.name) = ?" }.joined(separator: ", ")
        let changed = try change(
            "UPDATE challenge SET \(changes) WHERE id = ? AND revision = ?",
            columns.map(\.value) + [challenge.id.rawValue, challenge.revision])
        guard changed == 1 else { throw StorageError.conflict }
    }

    func liveChallenges(tenant: TenantID, person: PersonID) throws -> [ChallengeRecord] {
        try rows(
            """
            SELECT * FROM challenge WHERE tenant = ? AND person = ? AND lapses_at IS NOT NULL
            AND (NOT is_decoy OR status <> 'pending') ORDER BY created_at, id
            """,
            [tenant.rawValue, person.rawValue]
        ).map(Self.challenge)
    }

    func pendingDecoys(tenant: TenantID, person: PersonID, createdUntil: Timestamp, limit: Int) throws
        -> [ChallengeRecord]
    {
        try rows(
            """
            SELECT * FROM challenge WHERE tenant = ? AND person = ? AND lapses_at IS NOT NULL
            AND is_decoy AND status = 'pending' AND created_at <= ? ORDER BY created_at, id LIMIT ?
            """,
            [tenant.rawValue, person.rawValue, createdUntil.milliseconds, limit]
        ).map(Self.challenge)
    }

    func lapses(after: Lapse?, limit: Int) throws -> [Lapse] {
        try rows(
            """
            SELECT lapses_at, id, tenant FROM challenge
            WHERE lapses_at IS NOT NULL AND (lapses_at, id) > (?, ?) ORDER BY lapses_at, id LIMIT ?
            """,
            [after?.at.milliseconds ?? Int64.min, after?.id.rawValue ?? "", limit]
        ).map { try Lapse(at: $0.time("lapses_at"), id: $0.id("id"), tenant: $0.id("tenant")) }
    }

    func deleteChallenges(settledBefore time: Timestamp, limit: Int) throws -> Int {
        try change(
            """
            DELETE FROM challenge WHERE id IN
                (SELECT id FROM challenge WHERE lapses_at IS NULL AND settled_at < ? ORDER BY settled_at LIMIT ?)
            """,
            [time.milliseconds, limit])
    }
}

// MARK: Columns

extension PostgreSQLChallengeRecords {
    private typealias Column = (name: String, value: (any ColumnValue)?)

    private static func fixed(_ challenge: ChallengeRecord) -> [Column] {
        return [
            ("id", challenge.id.rawValue),
            ("tenant", challenge.tenant.rawValue),
            ("purpose", challenge.purpose.rawValue),
            ("username", challenge.username),
            ("person", challenge.person?.id.rawValue),
            ("person_username", challenge.person?.username ?? ""),
            ("display_name", challenge.person?.displayName ?? ""),
            ("groups", (challenge.person?.groups ?? []).map(\.rawValue).sorted().joined(separator: "\n")),
            ("may_use_codes", challenge.person?.mayUseCodes ?? false),
            ("client", challenge.owner.client?.rawValue),
            ("browser_digest", challenge.owner.browserDigest),
            ("secret_digest", challenge.secretDigest),
            ("number", challenge.number),
            ("content", challenge.content),
            ("created_at", challenge.createdAt.milliseconds),
            ("expires_at", challenge.machine.rules.expiresAt.milliseconds),
            ("redeem_window", challenge.machine.rules.redeemWindow?.milliseconds),
            ("is_decoy", challenge.isDecoy),
            ("is_silenced", challenge.isSilenced),
            ("takes_code_in_every_mode", challenge.takesCodeInEveryMode),
            ("only_device", challenge.onlyDevice?.rawValue),
            ("trace", challenge.trace),
        ]
    }

    private static func changing(_ challenge: ChallengeRecord) throws -> [Column] {
        let state = challenge.machine.state
        return [
            ("targets", challenge.targets.map(\.rawValue).joined(separator: "\n")),
            ("status", state.status.rawValue),
            ("reason", state.reason?.rawValue),
            ("method", state.method?.rawValue),
            ("tries_left", state.triesLeft),
            ("settled_at", state.settledAt?.milliseconds),
            ("answered", try AnswerList.json(state.answered)),
            ("code_digest", state.codeDigest),
            ("receipt_device", challenge.receipt?.device.rawValue),
            ("receipt_answer", challenge.receipt?.answer ?? ""),
            ("receipt_key", challenge.receipt?.key ?? []),
            ("is_password_verified", challenge.isPasswordVerified),
            ("lapses_at", challenge.machine.lapsesAt?.milliseconds),
        ]
    }

    private static func challenge(_ row: Row) throws -> ChallengeRecord {
        var begin = try ChallengeRecord.Begin(
            id: row.id("id"), tenant: row.id("tenant"), purpose: row.word("purpose"), username: row["username"],
            number: row["number"], content: row["content"], createdAt: row.time("created_at"))
        begin.person = try row.optionalID("person").map { (id: PersonID) in
            try ChallengeRecord.Person(
                id: id, username: row["person_username"], displayName: row["display_name"],
                groups: Set(row.lines("groups").map(GroupID.init(rawValue:))), mayUseCodes: row["may_use_codes"])
        }
        begin.owner = try .init(client: row.optionalID("client"), browserDigest: row["browser_digest"])
        begin.secretDigest = try row["secret_digest"]
        begin.isSilenced = try row["is_silenced"]
        begin.takesCodeInEveryMode = try row["takes_code_in_every_mode"]
        begin.onlyDevice = try row.optionalID("only_device")
        begin.trace = try row.optional("trace")
        begin.targets = try row.lines("targets").map(DeviceID.init(rawValue:))
        let receipt = try row.optionalID("receipt_device").map { (device: DeviceID) in
            try ChallengeRecord.Receipt(device: device, answer: row["receipt_answer"], key: row["receipt_key"])
        }
        return try ChallengeRecord(
            begin, machine: machine(row), receipt: receipt, isPasswordVerified: row["is_password_verified"],
            revision: row["revision"])
    }

    private static func machine(_ row: Row) throws -> ChallengeMachine {
        var state = try ChallengeMachine.State(triesLeft: row["tries_left"])
        state.status = try row.word("status")
        state.reason = try row.optionalWord("reason")
        state.method = try row.optionalWord("method")
        state.settledAt = try row.optionalTime("settled_at")
        state.answered = try AnswerList.answers(row["answered"])
        state.codeDigest = try row["code_digest"]
        let rules = try ChallengeMachine.Rules(
            expiresAt: row.time("expires_at"),
            redeemWindow: row.optional("redeem_window").map { (window: Int64) in .milliseconds(window) },
            isDecoy: row["is_decoy"])
        return ChallengeMachine(rules: rules, state: state)
    }
}
