package import Domain
import Foundation
import GRDB
package import Storage

extension SQLiteRegistrationRecords {
    private static let columns = """
        tenant, id, person, name, platform, os_version, app_version, push_transport, push_sealed, state, phone_sign_in_at,
        is_exclusive, granted_until, created_at, last_used_at, public_key, key_digest, challenge, code_sealed, code_algorithm,
        code_digits, code_period
        """

    private func device(_ row: Row) throws -> StoredDevice {
        var device = StoredDevice(
            tenant: TenantID(row["tenant"]), id: DeviceID(row["id"]), person: PersonID(row["person"]),
            facts: StoredDevice.Facts(
                name: row["name"], platform: try row.word("platform"), osVersion: row["os_version"],
                appVersion: row["app_version"]),
            push: StoredDevice.Push(transport: try row.word("push_transport"), sealedAddress: row.bytes("push_sealed")),
            createdAt: row.time("created_at"), publicKey: row.bytes("public_key"), keyDigest: row.bytes("key_digest"),
            challenge: ChallengeID(row["challenge"]),
            offlineCode: StoredDevice.OfflineCode(
                sealedSecret: row.bytes("code_sealed"), algorithm: try row.word("code_algorithm"),
                digits: row["code_digits"],
                period: row["code_period"]))
        device.state = try row.word("state")
        device.phoneSignInAt = row.optionalTime("phone_sign_in_at")
        device.isExclusive = row["is_exclusive"]
        device.grantedUntil = row.optionalTime("granted_until")
        device.lastUsedAt = row.time("last_used_at")
        return device
    }

    package func device(_ id: DeviceID, tenant: TenantID) throws -> StoredDevice? {
        try record(
            "SELECT \(Self.columns) FROM device WHERE tenant = ? AND id = ?", [tenant.rawValue, id.rawValue], device)
    }

    package func devices(of person: PersonID, tenant: TenantID) throws -> [StoredDevice] {
        try records(
            "SELECT \(Self.columns) FROM device WHERE tenant = ? AND person = ? ORDER BY created_at, id",
            [tenant.rawValue, person.rawValue], device)
    }

    package func phoneSignIns(keyDigest: [UInt8]) throws -> [StoredDevice] {
        try records(
            "SELECT \(Self.columns) FROM device WHERE key_digest = ? AND phone_sign_in_at IS NOT NULL",
            [Data(keyDigest)], device)
    }

    package func insert(_ device: StoredDevice) throws {
        try change(
            "INSERT INTO device (\(Self.columns)) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [
                device.tenant.rawValue, device.id.rawValue, device.person.rawValue, device.facts.name,
                device.facts.platform.rawValue,
                device.facts.osVersion, device.facts.appVersion, device.push.transport.rawValue,
                Data(device.push.sealedAddress),
                device.state.rawValue, device.phoneSignInAt?.milliseconds, device.isExclusive,
                device.grantedUntil?.milliseconds,
                device.createdAt.milliseconds, device.lastUsedAt.milliseconds, Data(device.publicKey),
                Data(device.keyDigest),
                device.challenge.rawValue, Data(device.offlineCode.sealedSecret), device.offlineCode.algorithm.rawValue,
                device.offlineCode.digits, device.offlineCode.period,
            ])
    }

    package func update(_ device: StoredDevice) throws {
        try changeOne(
            """
            UPDATE device SET name = ?, platform = ?, os_version = ?, app_version = ?, push_transport = ?, push_sealed = ?, state = ?,
                phone_sign_in_at = ?, is_exclusive = ?, granted_until = ?, last_used_at = ?
            WHERE tenant = ? AND id = ?
            """,
            [
                device.facts.name, device.facts.platform.rawValue, device.facts.osVersion, device.facts.appVersion,
                device.push.transport.rawValue, Data(device.push.sealedAddress), device.state.rawValue,
                device.phoneSignInAt?.milliseconds, device.isExclusive, device.grantedUntil?.milliseconds,
                device.lastUsedAt.milliseconds, device.tenant.rawValue, device.id.rawValue,
            ])
    }

    package func touchDevice(_ id: DeviceID, tenant: TenantID, at time: Timestamp) throws {
        try change(
            "UPDATE device SET last_used_at = ? WHERE tenant = ? AND id = ? AND last_used_at < ?",
            [time.milliseconds, tenant.rawValue, id.rawValue, time.milliseconds])
    }

    package func deleteDevice(_ id: DeviceID, tenant: TenantID) throws {
        try changeOne("DELETE FROM device WHERE tenant = ? AND id = ?", [tenant.rawValue, id.rawValue])
    }
}
