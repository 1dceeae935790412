-- The directory, what people sign in with, and their phones. Times are milliseconds since 1970.
CREATE TABLE person (
    tenant TEXT NOT NULL,
    id TEXT NOT NULL,
    username TEXT NOT NULL,
    folded_username TEXT NOT NULL,
    display_name TEXT NOT NULL,
    folded_display_name TEXT NOT NULL,
    password_hash TEXT,
    is_blocked INTEGER NOT NULL,
    roles TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (tenant, id)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX person_by_name ON person (tenant, folded_username);
CREATE INDEX person_by_display_name ON person (tenant, folded_display_name);

CREATE TABLE directory_group (
    tenant TEXT NOT NULL,
    id TEXT NOT NULL,
    name TEXT NOT NULL,
    folded_name TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (tenant, id)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX directory_group_by_name ON directory_group (tenant, folded_name);

CREATE TABLE membership (
    tenant TEXT NOT NULL,
    group_id TEXT NOT NULL,
    person TEXT NOT NULL,
    PRIMARY KEY (tenant, group_id, person)
) STRICT, WITHOUT ROWID;
CREATE INDEX membership_by_person ON membership (tenant, person, group_id);

CREATE TABLE device (
    tenant TEXT NOT NULL,
    id TEXT NOT NULL,
    person TEXT NOT NULL,
    name TEXT NOT NULL,
    platform TEXT NOT NULL,
    os_version TEXT NOT NULL,
    app_version TEXT NOT NULL,
    push_transport TEXT NOT NULL,
    push_sealed BLOB NOT NULL,
    state TEXT NOT NULL,
    phone_sign_in_at INTEGER,
    is_exclusive INTEGER NOT NULL,
    granted_until INTEGER,
    created_at INTEGER NOT NULL,
    last_used_at INTEGER NOT NULL,
    public_key BLOB NOT NULL,
    key_digest BLOB NOT NULL,
    challenge TEXT NOT NULL,
    code_sealed BLOB NOT NULL,
    code_algorithm TEXT NOT NULL,
    code_digits INTEGER NOT NULL,
    code_period INTEGER NOT NULL,
    PRIMARY KEY (tenant, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX device_by_person ON device (tenant, person, created_at, id);
-- One key is enabled for phone sign-in for one account of a tenant, and, unless the tenant lifts that, in one tenant.
CREATE UNIQUE INDEX phone_sign_in_by_key ON device (key_digest, tenant) WHERE phone_sign_in_at IS NOT NULL;
CREATE UNIQUE INDEX phone_sign_in_exclusive ON device (key_digest) WHERE phone_sign_in_at IS NOT NULL AND is_exclusive = 1;

CREATE TABLE activation (
    tenant TEXT NOT NULL,
    id TEXT NOT NULL,
    person TEXT NOT NULL,
    ticket_digest BLOB NOT NULL,
    ticket_sealed BLOB NOT NULL,
    pass_session TEXT,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    state TEXT NOT NULL,
    device TEXT,
    number_sealed BLOB NOT NULL,
    PRIMARY KEY (tenant, id)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX activation_by_ticket ON activation (tenant, ticket_digest);
CREATE UNIQUE INDEX activation_by_device ON activation (tenant, device) WHERE device IS NOT NULL;
CREATE INDEX activation_by_person ON activation (tenant, person, state, expires_at);
CREATE INDEX activation_by_expiry ON activation (expires_at);

CREATE TABLE phone_sign_in_setup (
    tenant TEXT NOT NULL,
    challenge TEXT NOT NULL,
    device TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    is_done INTEGER NOT NULL,
    PRIMARY KEY (tenant, challenge)
) STRICT, WITHOUT ROWID;
CREATE INDEX phone_sign_in_setup_by_age ON phone_sign_in_setup (created_at);

CREATE TABLE access_pass (
    tenant TEXT NOT NULL,
    person TEXT NOT NULL,
    id TEXT NOT NULL,
    hash TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    is_usable_once INTEGER NOT NULL,
    used_at INTEGER,
    PRIMARY KEY (tenant, person)
) STRICT, WITHOUT ROWID;
CREATE INDEX access_pass_by_expiry ON access_pass (expires_at);

CREATE TABLE web_session (
    tenant TEXT NOT NULL,
    digest BLOB NOT NULL,
    id TEXT NOT NULL,
    person TEXT NOT NULL,
    is_by_pass INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    last_used_at INTEGER NOT NULL,
    PRIMARY KEY (tenant, digest)
) STRICT, WITHOUT ROWID;
CREATE INDEX web_session_by_person ON web_session (tenant, person);
CREATE INDEX web_session_by_use ON web_session (last_used_at);
CREATE INDEX web_session_by_age ON web_session (created_at);

-- A challenge opens one session; a session opened by a pass gives one device the right to set up phone sign-in.
CREATE TABLE session_challenge (
    tenant TEXT NOT NULL,
    challenge TEXT NOT NULL,
    taken_at INTEGER NOT NULL,
    PRIMARY KEY (tenant, challenge)
) STRICT, WITHOUT ROWID;
CREATE INDEX session_challenge_by_age ON session_challenge (taken_at);

CREATE TABLE pass_grant (
    tenant TEXT NOT NULL,
    session TEXT NOT NULL,
    device TEXT NOT NULL,
    taken_at INTEGER NOT NULL,
    PRIMARY KEY (tenant, session)
) STRICT, WITHOUT ROWID;
CREATE INDEX pass_grant_by_age ON pass_grant (taken_at);

CREATE TABLE password_attempts (
    tenant TEXT NOT NULL,
    username TEXT NOT NULL,
    failures TEXT NOT NULL,
    delays INTEGER NOT NULL,
    next_allowed_at INTEGER,
    forgotten_at INTEGER NOT NULL,
    PRIMARY KEY (tenant, username)
) STRICT, WITHOUT ROWID;
CREATE INDEX password_attempts_by_age ON password_attempts (forgotten_at);

CREATE TABLE outbound_call (
    sequence INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL,
    tenant TEXT NOT NULL,
    request TEXT NOT NULL,
    origin TEXT NOT NULL,
    body BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    due_at INTEGER NOT NULL,
    fence INTEGER NOT NULL,
    attempts INTEGER NOT NULL
) STRICT;
CREATE INDEX outbound_call_due ON outbound_call (due_at, sequence);
