-- Challenges while they matter: the state machine, the number, and what its settlement left. Times are milliseconds since 1970.
CREATE TABLE challenge (
    id TEXT NOT NULL PRIMARY KEY,
    tenant TEXT NOT NULL,
    purpose TEXT NOT NULL,
    username TEXT NOT NULL,
    person TEXT,
    person_username TEXT NOT NULL,
    display_name TEXT NOT NULL,
    groups TEXT NOT NULL,
    may_use_codes INTEGER NOT NULL,
    client TEXT,
    browser_digest BLOB NOT NULL,
    secret_digest BLOB NOT NULL,
    number TEXT NOT NULL,
    content BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    redeem_window INTEGER,
    is_decoy INTEGER NOT NULL,
    is_silenced INTEGER NOT NULL,
    takes_code_in_every_mode INTEGER NOT NULL,
    only_device TEXT,
    targets TEXT NOT NULL,
    status TEXT NOT NULL,
    reason TEXT,
    method TEXT,
    tries_left INTEGER NOT NULL,
    settled_at INTEGER,
    answered TEXT NOT NULL,
    code_digest BLOB NOT NULL,
    receipt_device TEXT,
    receipt_answer TEXT NOT NULL,
    receipt_key BLOB NOT NULL,
    is_password_verified INTEGER NOT NULL,
    lapses_at INTEGER,
    revision INTEGER NOT NULL
) STRICT;

CREATE INDEX challenge_live ON challenge (tenant, person, created_at) WHERE lapses_at IS NOT NULL;
CREATE INDEX challenge_lapsing ON challenge (lapses_at, id) WHERE lapses_at IS NOT NULL;
CREATE INDEX challenge_settled ON challenge (settled_at) WHERE lapses_at IS NULL;

CREATE TABLE outbox (
    sequence INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL,
    challenge TEXT NOT NULL,
    body BLOB NOT NULL,
    origin TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    useful_until INTEGER,
    attempts_left INTEGER,
    due_at INTEGER NOT NULL
) STRICT;

CREATE INDEX outbox_due ON outbox (due_at, sequence);

CREATE TABLE request_budget (
    tenant TEXT NOT NULL,
    person TEXT NOT NULL,
    misses TEXT NOT NULL,
    silent_until INTEGER,
    risk_raised_until INTEGER,
    PRIMARY KEY (tenant, person)
) STRICT, WITHOUT ROWID;

-- The sign-in log: every request, kept long after its challenge is gone.
CREATE TABLE sign_in (
    id TEXT NOT NULL PRIMARY KEY,
    tenant TEXT NOT NULL,
    at INTEGER NOT NULL,
    username TEXT NOT NULL,
    folded_username TEXT NOT NULL,
    person TEXT,
    purpose TEXT NOT NULL,
    application TEXT NOT NULL,
    ip_address TEXT NOT NULL,
    user_agent TEXT NOT NULL,
    client TEXT,
    request_id TEXT NOT NULL,
    is_decoy INTEGER NOT NULL,
    is_silenced INTEGER NOT NULL,
    status TEXT NOT NULL,
    reason TEXT,
    method TEXT,
    device TEXT,
    device_name TEXT NOT NULL,
    settled_at INTEGER
) STRICT;

CREATE INDEX sign_in_by_time ON sign_in (tenant, at, id);
CREATE INDEX sign_in_by_user ON sign_in (tenant, folded_username, at, id);
CREATE INDEX sign_in_by_age ON sign_in (at);
