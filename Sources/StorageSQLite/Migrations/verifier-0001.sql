-- What the verifier must remember so that nothing signed or typed works twice, and nothing can be guessed.

CREATE TABLE proof_identifier (
    digest BLOB PRIMARY KEY NOT NULL,
    used_by TEXT NOT NULL,
    kept_until INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX proof_identifier_kept_until ON proof_identifier (kept_until);

CREATE TABLE code_step (
    tenant TEXT NOT NULL,
    device TEXT NOT NULL,
    step INTEGER NOT NULL,
    PRIMARY KEY (tenant, device)
) STRICT, WITHOUT ROWID;

CREATE TABLE code_acceptance (
    tenant TEXT NOT NULL,
    challenge TEXT NOT NULL,
    code_digest BLOB NOT NULL,
    device TEXT NOT NULL,
    device_name TEXT NOT NULL,
    kept_until INTEGER NOT NULL,
    PRIMARY KEY (tenant, challenge)
) STRICT, WITHOUT ROWID;
CREATE INDEX code_acceptance_kept_until ON code_acceptance (kept_until);

CREATE TABLE code_failures (
    tenant TEXT NOT NULL,
    username TEXT NOT NULL,
    failures INTEGER NOT NULL,
    towards_lock INTEGER NOT NULL,
    locked INTEGER NOT NULL,
    last_at INTEGER NOT NULL,
    next_allowed_at INTEGER NOT NULL,
    PRIMARY KEY (tenant, username)
) STRICT, WITHOUT ROWID;
CREATE INDEX code_failures_last_at ON code_failures (last_at) WHERE locked = 0;

CREATE TABLE number_failures (
    tenant TEXT NOT NULL,
    device TEXT NOT NULL,
    failures INTEGER NOT NULL,
    last_answer BLOB NOT NULL,
    last_at INTEGER NOT NULL,
    PRIMARY KEY (tenant, device)
) STRICT, WITHOUT ROWID;
