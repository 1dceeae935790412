-- Attempts to wake phones, the right to make each of them once, and those that are promised and not made yet.

CREATE TABLE delivery (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    tenant TEXT NOT NULL,
    challenge TEXT NOT NULL,
    device TEXT NOT NULL,
    transport TEXT NOT NULL,
    outcome TEXT NOT NULL,
    at INTEGER NOT NULL,
    latency_ms INTEGER NOT NULL
) STRICT;
CREATE INDEX delivery_challenge ON delivery (tenant, challenge, sequence);
CREATE INDEX delivery_tenant ON delivery (tenant, sequence);
CREATE INDEX delivery_at ON delivery (at);

CREATE TABLE delivery_claim (
    tenant TEXT NOT NULL,
    challenge TEXT NOT NULL,
    device TEXT NOT NULL,
    kept_until INTEGER NOT NULL,
    PRIMARY KEY (tenant, challenge, device)
) STRICT, WITHOUT ROWID;
CREATE INDEX delivery_claim_kept_until ON delivery_claim (kept_until);

-- Written with its claim and deleted with its last attempt. The address is sealed.
CREATE TABLE wake_up (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    tenant TEXT NOT NULL,
    challenge TEXT NOT NULL,
    device TEXT NOT NULL,
    transport TEXT NOT NULL,
    address_sealed BLOB NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT;
