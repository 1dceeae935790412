-- What the verifier must remember so that nothing signed or typed works twice, and nothing can be guessed.

CREATE TABLE proof_identifier (
    digest BYTEA PRIMARY KEY NOT NULL,
    used_by TEXT COLLATE "C" NOT NULL,
    kept_until BIGINT NOT NULL
);
CREATE INDEX proof_identifier_kept_until ON proof_identifier (kept_until);

CREATE TABLE code_step (
    tenant TEXT COLLATE "C" NOT NULL,
    device TEXT COLLATE "C" NOT NULL,
    step BIGINT NOT NULL,
    PRIMARY KEY (tenant, device)
);

CREATE TABLE code_acceptance (
    tenant TEXT COLLATE "C" NOT NULL,
    challenge TEXT COLLATE "C" NOT NULL,
    code_digest BYTEA NOT NULL,
    device TEXT COLLATE "C" NOT NULL,
    device_name TEXT COLLATE "C" NOT NULL,
    kept_until BIGINT NOT NULL,
    PRIMARY KEY (tenant, challenge)
);
CREATE INDEX code_acceptance_kept_until ON code_acceptance (kept_until);

CREATE TABLE code_failures (
    tenant TEXT COLLATE "C" NOT NULL,
    username TEXT COLLATE "C" NOT NULL,
    failures BIGINT NOT NULL,
    towards_lock BIGINT NOT NULL,
    locked BOOLEAN NOT NULL,
    last_at BIGINT NOT NULL,
    next_allowed_at BIGINT NOT NULL,
    PRIMARY KEY (tenant, username)
);
CREATE INDEX code_failures_last_at ON code_failures (last_at) WHERE NOT locked;

CREATE TABLE number_failures (
    tenant TEXT COLLATE "C" NOT NULL,
    device TEXT COLLATE "C" NOT NULL,
    failures BIGINT NOT NULL,
    last_answer BYTEA NOT NULL,
    last_at BIGINT NOT NULL,
    PRIMARY KEY (tenant, device)
);
