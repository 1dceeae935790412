package import Domain
import Foundation
import GRDB
package import Storage

extension SQLiteRegistrationRecords {
    private static let columns =
        "tenant, id, person, ticket_digest, ticket_sealed, session, pass_session, created_at, expires_at, state, device, number_sealed"

    private func activation(_ row: Row) throws -> StoredActivation {
        let device: String? = row["device"]
        return StoredActivation(
            tenant: TenantID(row["tenant"]), id: ActivationID(row["id"]), person: PersonID(row["person"]),
            ticketDigest: row.bytes("ticket_digest"), sealedTicket: row.bytes("ticket_sealed"),
            session: row["session"], passSession: row["pass_session"],
            createdAt: row.time("created_at"),
            machine: ActivationMachine(
                state: try row.word("state"), expiresAt: row.time("expires_at"), device: device.map { DeviceID($0) }),
            sealedNumber: row.bytes("number_sealed"))
    }

    package func activation(_ id: ActivationID, tenant: TenantID) throws -> StoredActivation? {
        try record(
            "SELECT \(Self.columns) FROM activation WHERE tenant = ? AND id = ?", [tenant.rawValue, id.rawValue],
            activation)
    }

    package func activation(ticketDigest: [UInt8], tenant: TenantID) throws -> StoredActivation? {
        try record(
            "SELECT \(Self.columns) FROM activation WHERE tenant = ? AND ticket_digest = ?",
            [tenant.rawValue, Data(ticketDigest)], activation)
    }

    package func activation(device: DeviceID, tenant: TenantID) throws -> StoredActivation? {
        try record(
            "SELECT \(Self.columns) FROM activation WHERE tenant = ? AND device = ?",
            [tenant.rawValue, device.rawValue], activation)
    }

    package func insert(_ activation: StoredActivation) throws {
        try change(
            "INSERT INTO activation (\(Self.columns)) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [
                activation.tenant.rawValue, activation.id.rawValue, activation.person.rawValue,
                Data(activation.ticketDigest),
                Data(activation.sealedTicket), activation.session, activation.passSession,
                activation.createdAt.milliseconds,
                activation.machine.expiresAt.milliseconds, activation.machine.state.rawValue,
                activation.machine.device?.rawValue,
                Data(activation.sealedNumber),
            ])
    }

    package func update(_ activation: StoredActivation) throws {
        try changeOne(
            "UPDATE activation SET ticket_sealed = ?, state = ?, device = ?, number_sealed = ? WHERE tenant = ? AND id = ?",
            [
                Data(activation.sealedTicket), activation.machine.state.rawValue, activation.machine.device?.rawValue,
                Data(activation.sealedNumber), activation.tenant.rawValue, activation.id.rawValue,
            ])
    }

    package func openActivations(of person: PersonID, tenant: TenantID) throws -> [StoredActivation] {
        try records(
            """
            SELECT \(Self.columns) FROM activation WHERE tenant = ? AND person = ? AND state IN ('waiting', 'confirming')
            """,
            [tenant.rawValue, person.rawValue], activation)
    }

    package func abandonedActivations(expiredBefore time: Timestamp, limit: Int) throws -> [StoredActivation] {
        try records(
            "SELECT \(Self.columns) FROM activation WHERE state = 'confirming' AND expires_at < ? ORDER BY expires_at LIMIT ?",
            [time.milliseconds, limit], activation)
    }

    package func setup(_ challenge: ChallengeID, tenant: TenantID) throws -> StoredSetup? {
        try record(
            "SELECT tenant, challenge, device, created_at, is_done FROM phone_sign_in_setup WHERE tenant = ? AND challenge = ?",
            [tenant.rawValue, challenge.rawValue]
        ) {
            StoredSetup(
                tenant: TenantID($0["tenant"]), challenge: ChallengeID($0["challenge"]), device: DeviceID($0["device"]),
                createdAt: $0.time("created_at"), isDone: $0["is_done"])
        }
    }

    package func save(_ setup: StoredSetup) throws {
        try change(
            """
            INSERT INTO phone_sign_in_setup (tenant, challenge, device, created_at, is_done) VALUES (?, ?, ?, ?, ?)
            ON CONFLICT DO UPDATE SET is_done = excluded.is_done
            """,
            [
                setup.tenant.rawValue, setup.challenge.rawValue, setup.device.rawValue, setup.createdAt.milliseconds,
                setup.isDone,
            ])
    }
}
