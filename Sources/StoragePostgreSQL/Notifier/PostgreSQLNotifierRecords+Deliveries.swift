import Domain
import Storage

extension PostgreSQLNotifierRecords {
    func append(_ delivery: DeliveryRecord) throws {
        try add(
            """
            INSERT INTO delivery (tenant, challenge, device, transport, outcome, at, latency_ms)
            VALUES (?, ?, ?, ?, ?, ?, ?)
            """,
            [
                delivery.tenant.rawValue, delivery.challenge.rawValue, delivery.device.rawValue, delivery.transport,
                delivery.outcome, delivery.at.milliseconds, delivery.latency.milliseconds,
            ])
    }

    func deliveries(tenant: TenantID, challenge: ChallengeID?, before: Int64?, limit: Int) throws
        -> [DeliveryRecord]
    {
        var asked = Conditions("tenant = ? AND sequence < ?", [tenant.rawValue, before ?? Int64.max])
        if let challenge { asked.add("challenge = ?", [challenge.rawValue]) }
        return try rows(
            "SELECT * FROM delivery WHERE \(asked.text) ORDER BY sequence DESC LIMIT ?", asked.values + [limit]
        ).map { row in
            try DeliveryRecord(
                sequence: row["sequence"], tenant: tenant, challenge: row.id("challenge"), device: row.id("device"),
                transport: row["transport"], outcome: row["outcome"], at: row.time("at"),
                latency: .milliseconds(row["latency_ms"] as Int64))
        }
    }

    func claim(_ claim: DeliveryClaim, limit: Int) throws -> ClaimOutcome {
        // Two claims of one challenge at once are told apart by the transaction: one of them runs again and counts the other.
        let made = try row(
            """
            INSERT INTO delivery_claim (tenant, challenge, device, kept_until, has_place)
            SELECT CAST(? AS TEXT), CAST(? AS TEXT), CAST(? AS TEXT), CAST(? AS BIGINT),
                (SELECT count(*) FROM delivery_claim WHERE tenant = ? AND challenge = ? AND has_place) < CAST(? AS BIGINT)
            ON CONFLICT (tenant, challenge, device) DO NOTHING
            RETURNING has_place
            """,
            [
                claim.tenant.rawValue, claim.challenge.rawValue, claim.device.rawValue, claim.keptUntil.milliseconds,
                claim.tenant.rawValue, claim.challenge.rawValue, limit,
            ])
        guard let made else { return .repeated }
        let hasPlace: Bool = try made["has_place"]
        return hasPlace ? .place : .noPlace
    }

    func deleteDeliveries(before time: Timestamp, limit: Int) throws -> Int {
        try change(
            "DELETE FROM delivery WHERE sequence IN (SELECT sequence FROM delivery WHERE at < ? ORDER BY at LIMIT ?)",
            [time.milliseconds, limit])
    }

    func deleteClaims(keptUntilBefore time: Timestamp, limit: Int) throws -> Int {
        try change(
            """
            DELETE FROM delivery_claim WHERE (tenant, challenge, device) IN (
                SELECT tenant, challenge, device FROM delivery_claim WHERE kept_until < ? ORDER BY kept_until LIMIT ?)
            """,
            [time.milliseconds, limit])
    }
}
