-- Attempts to wake phones, the right to make each of them once, and those that are promised and not made yet.

CREATE TABLE delivery (
    sequence BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant TEXT COLLATE "C" NOT NULL,
    challenge TEXT COLLATE "C" NOT NULL,
    device TEXT COLLATE "C" NOT NULL,
    transport TEXT COLLATE "C" NOT NULL,
    outcome TEXT COLLATE "C" NOT NULL,
    at BIGINT NOT NULL,
    latency_ms BIGINT NOT NULL
);
CREATE INDEX delivery_challenge ON delivery (tenant, challenge, sequence);
CREATE INDEX delivery_tenant ON delivery (tenant, sequence);
CREATE INDEX delivery_at ON delivery (at);

CREATE TABLE delivery_claim (
    tenant TEXT COLLATE "C" NOT NULL,
    challenge TEXT COLLATE "C" NOT NULL,
    device TEXT COLLATE "C" NOT NULL,
    kept_until BIGINT NOT NULL,
    PRIMARY KEY (tenant, challenge, device)
);
CREATE INDEX delivery_claim_kept_until ON delivery_claim (kept_until);

-- Written with its claim and deleted with its last attempt. The address is sealed.
CREATE TABLE wake_up (
    sequence BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant TEXT COLLATE "C" NOT NULL,
    challenge TEXT COLLATE "C" NOT NULL,
    device TEXT COLLATE "C" NOT NULL,
    transport TEXT COLLATE "C" NOT NULL,
    address_sealed BYTEA NOT NULL,
    expires_at BIGINT NOT NULL
);
