import Domain
import Storage

extension PostgreSQLRegistrationRecords {
    private static let columns = """
        tenant, id, person, name, platform, os_version, app_version, push_transport, push_sealed, state, phone_sign_in_at,
        is_exclusive, granted_until, created_at, last_used_at, public_key, key_digest, challenge, code_sealed, code_algorithm,
        code_digits, code_period
        """

    private func device(_ row: Row) throws -> StoredDevice {
        var device = try StoredDevice(
            tenant: row.id("tenant"), id: row.id("id"), person: row.id("person"),
            facts: StoredDevice.Facts(
                name: row["name"], platform: row.word("platform"), osVersion: row["os_version"],
                appVersion: row["app_version"]),
            push: StoredDevice.Push(transport: row.word("push_transport"), sealedAddress: row["push_sealed"]),
            createdAt: row.time("created_at"), publicKey: row["public_key"], keyDigest: row["key_digest"],
            challenge: row.id("challenge"),
            offlineCode: StoredDevice.OfflineCode(
                sealedSecret: row["code_sealed"], algorithm: row.word("code_algorithm"),
                digits: row["code_digits"],
                period: row["code_period"]))
        device.state = try row.word("state")
        device.phoneSignInAt = try row.optionalTime("phone_sign_in_at")
        device.isExclusive = try row["is_exclusive"]
        device.grantedUntil = try row.optionalTime("granted_until")
        device.lastUsedAt = try row.time("last_used_at")
        return device
    }

    func device(_ id: DeviceID, tenant: TenantID) throws -> StoredDevice? {
        try row("SELECT \(Self.columns) FROM device WHERE tenant = ? AND id = ?", [tenant.rawValue, id.rawValue]).map(
            device)
    }

    func devices(of person: PersonID, tenant: TenantID) throws -> [StoredDevice] {
        try rows(
            "SELECT \(Self.columns) FROM device WHERE tenant = ? AND person = ? ORDER BY created_at, id",
            [tenant.rawValue, person.rawValue]
        ).map(device)
    }

    func phoneSignIns(keyDigest: [UInt8]) throws -> [StoredDevice] {
        try rows(
            "SELECT \(Self.columns) FROM device WHERE key_digest = ? AND phone_sign_in_at IS NOT NULL",
            [keyDigest]
        )
        .map(device)
    }

    func insert(_ device: StoredDevice) throws {
        try insert(
            "INSERT INTO device (\(Self.columns)) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [
                device.tenant.rawValue, device.id.rawValue, device.person.rawValue, device.facts.name,
                device.facts.platform.rawValue,
                device.facts.osVersion, device.facts.appVersion, device.push.transport.rawValue,
                device.push.sealedAddress,
                device.state.rawValue, device.phoneSignInAt?.milliseconds, device.isExclusive,
                device.grantedUntil?.milliseconds,
                device.createdAt.milliseconds, device.lastUsedAt.milliseconds, device.publicKey,
                device.keyDigest,
                device.challenge.rawValue, device.offlineCode.sealedSecret, device.offlineCode.algorithm.rawValue,
                device.offlineCode.digits, device.offlineCode.period,
            ])
    }

    func update(_ device: StoredDevice) throws {
        try changeOne(
            """
            UPDATE device SET name = ?, platform = ?, os_version = ?, app_version = ?, push_transport = ?, push_sealed = ?, state = ?,
                phone_sign_in_at = ?, is_exclusive = ?, granted_until = ?, last_used_at = ?
            WHERE tenant = ? AND id = ?
            """,
            [
                device.facts.name, device.facts.platform.rawValue, device.facts.osVersion, device.facts.appVersion,
                device.push.transport.rawValue, device.push.sealedAddress, device.state.rawValue,
                device.phoneSignInAt?.milliseconds, device.isExclusive, device.grantedUntil?.milliseconds,
                device.lastUsedAt.milliseconds, device.tenant.rawValue, device.id.rawValue,
            ])
    }

    func touchDevice(_ id: DeviceID, tenant: TenantID, at time: Timestamp) throws {
        try add(
            "UPDATE device SET last_used_at = ? WHERE tenant = ? AND id = ? AND last_used_at < ?",
            [time.milliseconds, tenant.rawValue, id.rawValue, time.milliseconds])
    }

    func deleteDevice(_ id: DeviceID, tenant: TenantID) throws {
        try changeOne("DELETE FROM device WHERE tenant = ? AND id = ?", [tenant.rawValue, id.rawValue])
    }
}
