-- Every change, written in the transaction that makes it. An identity: a sequence is never used twice.
CREATE TABLE audit (
    sequence BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant TEXT COLLATE "C" NOT NULL,
    at BIGINT NOT NULL,
    actor_kind TEXT COLLATE "C" NOT NULL,
    actor_id TEXT COLLATE "C" NOT NULL,
    actor_name TEXT COLLATE "C" NOT NULL,
    action TEXT COLLATE "C" NOT NULL,
    target TEXT COLLATE "C" NOT NULL,
    before_json TEXT COLLATE "C" NOT NULL,
    after_json TEXT COLLATE "C" NOT NULL,
    request_id TEXT COLLATE "C" NOT NULL
);

CREATE INDEX audit_tenant ON audit (tenant, sequence);
