package import Domain
import Foundation
import GRDB
package import Storage

extension SQLiteChallengeRecords {
    package func challenge(_ id: ChallengeID, tenant: TenantID) throws -> ChallengeRecord? {
        try record(
            "SELECT * FROM challenge WHERE id = ? AND tenant = ?", [id.rawValue, tenant.rawValue], Self.challenge)
    }

    package func insert(_ challenge: ChallengeRecord) throws {
        try execute(Self.insertion, Self.arguments(Self.columns, challenge))
        guard database.changesCount == 1 else { throw StorageError.alreadyExists }
    }

    package func update(_ challenge: ChallengeRecord) throws {
        let key: StatementArguments = [challenge.revision + 1, challenge.id.rawValue, challenge.revision]
        try execute(Self.change, Self.arguments(Self.changing, challenge) + key)
        guard database.changesCount == 1 else { throw StorageError.conflict }
    }

    package func liveChallenges(tenant: TenantID, person: PersonID) throws -> [ChallengeRecord] {
        try records(
            """
            SELECT * FROM challenge WHERE tenant = ? AND person = ? AND lapses_at IS NOT NULL
            AND (is_decoy = 0 OR status <> 'pending') ORDER BY created_at, id
            """,
            [tenant.rawValue, person.rawValue], Self.challenge)
    }

    package func pendingDecoys(tenant: TenantID, person: PersonID, createdUntil: Timestamp, limit: Int) throws
        -> [ChallengeRecord]
    {
        try records(
            """
            SELECT * FROM challenge WHERE tenant = ? AND person = ? AND lapses_at IS NOT NULL
            AND is_decoy = 1 AND status = 'pending' AND created_at <= ? ORDER BY created_at, id LIMIT ?
            """,
            [tenant.rawValue, person.rawValue, createdUntil.milliseconds, limit], Self.challenge)
    }

    package func lapses(after: Lapse?, limit: Int) throws -> [Lapse] {
        try records(
            """
            SELECT lapses_at, id, tenant FROM challenge
            WHERE lapses_at IS NOT NULL AND (lapses_at, id) > (?, ?) ORDER BY lapses_at, id LIMIT ?
            """,
            [after?.at.milliseconds ?? .min, after?.id.rawValue ?? "", limit]
        ) { Lapse(at: $0.time("lapses_at"), id: $0.id("id"), tenant: $0.id("tenant")) }
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
    private struct Column: Sendable {
        let name: String
        let value: @Sendable (ChallengeRecord) -> (any DatabaseValueConvertible)?

        init(_ name: String, _ value: @escaping @Sendable (ChallengeRecord) -> (any DatabaseValueConvertible)?) {
            self.name = name
            self.value = value
        }
    }

    private static let insertion: String = {
        let names = columns.map(\.name)
        let places = names.map { _ in "?" }.joined(separator: ", ")
        return "INSERT INTO challenge (\(names.joined(separator: ", "))) VALUES (\(places)) ON CONFLICT (id) DO NOTHING"
    }()

    private static let change: String = {
        let changes = (changing + [revision]).map { "\($0.name) = ?" }.joined(separator: ", ")
        return "UPDATE challenge SET \(changes) WHERE id = ? AND revision = ?"
    }()

    private static func arguments(_ columns: [Column], _ challenge: ChallengeRecord) -> StatementArguments {
        StatementArguments(columns.map { $0.value(challenge) })
    }

    private static let columns = fixed + changing + [revision]

    /// What `update` compares, and moves.
    private static let revision = Column("revision") { $0.revision }

    private static let fixed = [
        Column("id") { $0.id.rawValue },
        Column("tenant") { $0.tenant.rawValue },
        Column("purpose") { $0.purpose.rawValue },
        Column("username") { $0.username },
        Column("person") { $0.person?.id.rawValue },
        Column("person_username") { $0.person?.username ?? "" },
        Column("display_name") { $0.person?.displayName ?? "" },
        Column("groups") { ($0.person?.groups ?? []).map(\.rawValue).sorted().joined(separator: "\n") },
        Column("may_use_codes") { $0.person?.mayUseCodes ?? false },
        Column("client") { $0.owner.client?.rawValue },
        Column("browser_digest") { Data($0.owner.browserDigest) },
        Column("secret_digest") { Data($0.secretDigest) },
        Column("number") { $0.number },
        Column("content") { Data($0.content) },
        Column("created_at") { $0.createdAt.milliseconds },
        Column("expires_at") { $0.machine.rules.expiresAt.milliseconds },
        Column("redeem_window") { $0.machine.rules.redeemWindow?.milliseconds },
        Column("is_decoy") { $0.isDecoy },
        Column("is_silenced") { $0.isSilenced },
        Column("takes_code_in_every_mode") { $0.takesCodeInEveryMode },
        Column("only_device") { $0.onlyDevice?.rawValue },
        Column("trace") { $0.trace },
    ]

    private static let changing = [
        Column("targets") { $0.targets.map(\.rawValue).joined(separator: "\n") },
        Column("status") { $0.machine.state.status.rawValue },
        Column("reason") { $0.machine.state.reason?.rawValue },
        Column("method") { $0.machine.state.method?.rawValue },
        Column("tries_left") { $0.machine.state.triesLeft },
        Column("settled_at") { $0.machine.state.settledAt?.milliseconds },
        Column("answered") { AnswerList.text($0.machine.state.answered) },
        Column("code_digest") { Data($0.machine.state.codeDigest) },
        Column("receipt_device") { $0.receipt?.device.rawValue },
        Column("receipt_answer") { $0.receipt?.answer ?? "" },
        Column("receipt_key") { Data($0.receipt?.key ?? []) },
        Column("is_password_verified") { $0.isPasswordVerified },
        Column("lapses_at") { $0.machine.lapsesAt?.milliseconds },
    ]

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
