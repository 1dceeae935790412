import Domain
import Storage

extension PostgreSQLRegistrationRecords {
    private static let columns =
        "tenant, id, person, ticket_digest, ticket_sealed, session, pass_session, created_at, expires_at, state, device, number_sealed"

    private func activation(_ row: Row) throws -> StoredActivation {
        try StoredActivation(
            tenant: row.id("tenant"), id: row.id("id"), person: row.id("person"),
            ticketDigest: row["ticket_digest"], sealedTicket: row["ticket_sealed"],
            session: row.optional("session"), passSession: row.optional("pass_session"),
            createdAt: row.time("created_at"),
            machine: ActivationMachine(
                state: row.word("state"), expiresAt: row.time("expires_at"), device: row.optionalID("device")),
            sealedNumber: row["number_sealed"])
    }

    func activation(_ id: ActivationID, tenant: TenantID) throws -> StoredActivation? {
        try row("SELECT \(Self.columns) FROM activation WHERE tenant = ? AND id = ?", [tenant.rawValue, id.rawValue])
            .map(activation)
    }

    func activation(ticketDigest: [UInt8], tenant: TenantID) throws -> StoredActivation? {
        try row(
            "SELECT \(Self.columns) FROM activation WHERE tenant = ? AND ticket_digest = ?",
            [tenant.rawValue, ticketDigest]
        ).map(activation)
    }

    func activation(device: DeviceID, tenant: TenantID) throws -> StoredActivation? {
        try row(
            "SELECT \(Self.columns) FROM activation WHERE tenant = ? AND device = ?",
            [tenant.rawValue, device.rawValue]
        )
        .map(activation)
    }

    func insert(_ activation: StoredActivation) throws {
        try insert(
            "INSERT INTO activation (\(Self.columns)) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [
                activation.tenant.rawValue, activation.id.rawValue, activation.person.rawValue,
                activation.ticketDigest,
                activation.sealedTicket, activation.session, activation.passSession, activation.createdAt.milliseconds,
                activation.machine.expiresAt.milliseconds, activation.machine.state.rawValue,
                activation.machine.device?.rawValue,
                activation.sealedNumber,
            ])
    }

    func update(_ activation: StoredActivation) throws {
        try changeOne(
            "UPDATE activation SET ticket_sealed = ?, state = ?, device = ?, number_sealed = ? WHERE tenant = ? AND id = ?",
            [
                activation.sealedTicket, activation.machine.state.rawValue, activation.machine.device?.rawValue,
                activation.sealedNumber, activation.tenant.rawValue, activation.id.rawValue,
            ])
    }

    func openActivations(of person: PersonID, tenant: TenantID) throws -> [StoredActivation] {
        try rows(
            """
            SELECT \(Self.columns) FROM activation WHERE tenant = ? AND person = ? AND state IN ('waiting', 'confirming')
            """,
            [tenant.rawValue, person.rawValue]
        ).map(activation)
    }

    func abandonedActivations(expiredBefore time: Timestamp, limit: Int) throws -> [StoredActivation] {
        try rows(
            "SELECT \(Self.columns) FROM activation WHERE state = 'confirming' AND expires_at < ? ORDER BY expires_at LIMIT ?",
            [time.milliseconds, limit]
        ).map(activation)
    }

    func setup(_ challenge: ChallengeID, tenant: TenantID) throws -> StoredSetup? {
        try row(
            "SELECT tenant, challenge, device, created_at, is_done FROM phone_sign_in_setup WHERE tenant = ? AND challenge = ?",
            [tenant.rawValue, challenge.rawValue]
        ).map {
            try StoredSetup(
                tenant: $0.id("tenant"), challenge: $0.id("challenge"), device: $0.id("device"),
                createdAt: $0.time("created_at"), isDone: $0["is_done"])
        }
    }

    func save(_ setup: StoredSetup) throws {
        try add(
            """
            INSERT INTO phone_sign_in_setup (tenant, challenge, device, created_at, is_done) VALUES (?, ?, ?, ?, ?)
            ON CONFLICT (tenant, challenge) DO UPDATE SET is_done = excluded.is_done
            """,
            [
                setup.tenant.rawValue, setup.challenge.rawValue, setup.device.rawValue, setup.createdAt.milliseconds,
                setup.isDone,
            ])
    }
}
