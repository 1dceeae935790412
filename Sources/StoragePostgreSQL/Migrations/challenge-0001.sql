-- Challenges while they matter: the state machine, the number, and what its settlement left. Times are milliseconds since 1970.
CREATE TABLE challenge (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    tenant TEXT COLLATE "C" NOT NULL,
    purpose TEXT COLLATE "C" NOT NULL,
    username TEXT COLLATE "C" NOT NULL,
    person TEXT COLLATE "C",
    person_username TEXT COLLATE "C" NOT NULL,
    display_name TEXT COLLATE "C" NOT NULL,
    groups TEXT COLLATE "C" NOT NULL,
    may_use_codes BOOLEAN NOT NULL,
    client TEXT COLLATE "C",
    browser_digest BYTEA NOT NULL,
    secret_digest BYTEA NOT NULL,
    number TEXT COLLATE "C" NOT NULL,
    content BYTEA NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    redeem_window BIGINT,
    is_decoy BOOLEAN NOT NULL,
    is_silenced BOOLEAN NOT NULL,
    takes_code_in_every_mode BOOLEAN NOT NULL,
    only_device TEXT COLLATE "C",
    targets TEXT COLLATE "C" NOT NULL,
    status TEXT COLLATE "C" NOT NULL,
    reason TEXT COLLATE "C",
    method TEXT COLLATE "C",
    tries_left BIGINT NOT NULL,
    settled_at BIGINT,
    answered TEXT COLLATE "C" NOT NULL,
    code_digest BYTEA NOT NULL,
    receipt_device TEXT COLLATE "C",
    receipt_answer TEXT COLLATE "C" NOT NULL,
    receipt_key BYTEA NOT NULL,
    is_password_verified BOOLEAN NOT NULL,
    lapses_at BIGINT,
    revision BIGINT NOT NULL
);

CREATE INDEX challenge_live ON challenge (tenant, person, created_at) WHERE lapses_at IS NOT NULL;
CREATE INDEX challenge_lapsing ON challenge (lapses_at, id) WHERE lapses_at IS NOT NULL;
CREATE INDEX challenge_settled ON challenge (settled_at) WHERE lapses_at IS NULL;

CREATE TABLE outbox (
    sequence BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind TEXT COLLATE "C" NOT NULL,
    challenge TEXT COLLATE "C" NOT NULL,
    body BYTEA NOT NULL,
    origin TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL,
    useful_until BIGINT,
    attempts_left BIGINT,
    due_at BIGINT NOT NULL
);

CREATE INDEX outbox_due ON outbox (due_at, sequence);

CREATE TABLE request_budget (
    tenant TEXT COLLATE "C" NOT NULL,
    person TEXT COLLATE "C" NOT NULL,
    misses TEXT COLLATE "C" NOT NULL,
    silent_until BIGINT,
    risk_raised_until BIGINT,
    PRIMARY KEY (tenant, person)
);

-- The sign-in log: every request, kept long after its challenge is gone.
CREATE TABLE sign_in (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    tenant TEXT COLLATE "C" NOT NULL,
    at BIGINT NOT NULL,
    username TEXT COLLATE "C" NOT NULL,
    folded_username TEXT COLLATE "C" NOT NULL,
    person TEXT COLLATE "C",
    purpose TEXT COLLATE "C" NOT NULL,
    application TEXT COLLATE "C" NOT NULL,
    ip_address TEXT COLLATE "C" NOT NULL,
    user_agent TEXT COLLATE "C" NOT NULL,
    client TEXT COLLATE "C",
    request_id TEXT COLLATE "C" NOT NULL,
    is_decoy BOOLEAN NOT NULL,
    is_silenced BOOLEAN NOT NULL,
    status TEXT COLLATE "C" NOT NULL,
    reason TEXT COLLATE "C",
    method TEXT COLLATE "C",
    device TEXT COLLATE "C",
    device_name TEXT COLLATE "C" NOT NULL,
    settled_at BIGINT
);

CREATE INDEX sign_in_by_time ON sign_in (tenant, at, id);
CREATE INDEX sign_in_by_user ON sign_in (tenant, folded_username, at, id);
CREATE INDEX sign_in_by_age ON sign_in (at);
