-- The directory, what people sign in with, and their phones. Times are milliseconds since 1970.
CREATE TABLE person (
    tenant TEXT COLLATE "C" NOT NULL,
    id TEXT COLLATE "C" NOT NULL,
    username TEXT COLLATE "C" NOT NULL,
    folded_username TEXT COLLATE "C" NOT NULL,
    display_name TEXT COLLATE "C" NOT NULL,
    folded_display_name TEXT COLLATE "C" NOT NULL,
    password_hash TEXT COLLATE "C",
    is_blocked BOOLEAN NOT NULL,
    roles TEXT COLLATE "C" NOT NULL,
    default_method TEXT COLLATE "C",
    created_at BIGINT NOT NULL,
    PRIMARY KEY (tenant, id)
);
CREATE UNIQUE INDEX person_by_name ON person (tenant, folded_username);
CREATE INDEX person_by_display_name ON person (tenant, folded_display_name);

CREATE TABLE directory_group (
    tenant TEXT COLLATE "C" NOT NULL,
    id TEXT COLLATE "C" NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    folded_name TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (tenant, id)
);
CREATE UNIQUE INDEX directory_group_by_name ON directory_group (tenant, folded_name);

CREATE TABLE membership (
    tenant TEXT COLLATE "C" NOT NULL,
    group_id TEXT COLLATE "C" NOT NULL,
    person TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (tenant, group_id, person)
);
CREATE INDEX membership_by_person ON membership (tenant, person, group_id);

CREATE TABLE device (
    tenant TEXT COLLATE "C" NOT NULL,
    id TEXT COLLATE "C" NOT NULL,
    person TEXT COLLATE "C" NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    platform TEXT COLLATE "C" NOT NULL,
    os_version TEXT COLLATE "C" NOT NULL,
    app_version TEXT COLLATE "C" NOT NULL,
    push_transport TEXT COLLATE "C" NOT NULL,
    push_sealed BYTEA NOT NULL,
    state TEXT COLLATE "C" NOT NULL,
    phone_sign_in_at BIGINT,
    is_exclusive BOOLEAN NOT NULL,
    granted_until BIGINT,
    created_at BIGINT NOT NULL,
    last_used_at BIGINT NOT NULL,
    public_key BYTEA NOT NULL,
    key_digest BYTEA NOT NULL,
    challenge TEXT COLLATE "C" NOT NULL,
    code_sealed BYTEA NOT NULL,
    code_algorithm TEXT COLLATE "C" NOT NULL,
    code_digits BIGINT NOT NULL,
    code_period BIGINT NOT NULL,
    PRIMARY KEY (tenant, id)
);
CREATE INDEX device_by_person ON device (tenant, person, created_at, id);
-- One key is enabled for phone sign-in for one account of a tenant, and, unless the tenant lifts that, in one tenant.
CREATE UNIQUE INDEX phone_sign_in_by_key ON device (key_digest, tenant) WHERE phone_sign_in_at IS NOT NULL;
CREATE UNIQUE INDEX phone_sign_in_exclusive ON device (key_digest) WHERE phone_sign_in_at IS NOT NULL AND is_exclusive;

CREATE TABLE activation (
    tenant TEXT COLLATE "C" NOT NULL,
    id TEXT COLLATE "C" NOT NULL,
    person TEXT COLLATE "C" NOT NULL,
    ticket_digest BYTEA NOT NULL,
    ticket_sealed BYTEA NOT NULL,
    pass_session TEXT COLLATE "C",
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    state TEXT COLLATE "C" NOT NULL,
    device TEXT COLLATE "C",
    number_sealed BYTEA NOT NULL,
    PRIMARY KEY (tenant, id)
);
CREATE UNIQUE INDEX activation_by_ticket ON activation (tenant, ticket_digest);
CREATE UNIQUE INDEX activation_by_device ON activation (tenant, device) WHERE device IS NOT NULL;
CREATE INDEX activation_by_person ON activation (tenant, person, state, expires_at);
CREATE INDEX activation_by_expiry ON activation (expires_at);

CREATE TABLE phone_sign_in_setup (
    tenant TEXT COLLATE "C" NOT NULL,
    challenge TEXT COLLATE "C" NOT NULL,
    device TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL,
    is_done BOOLEAN NOT NULL,
    PRIMARY KEY (tenant, challenge)
);
CREATE INDEX phone_sign_in_setup_by_age ON phone_sign_in_setup (created_at);

CREATE TABLE access_pass (
    tenant TEXT COLLATE "C" NOT NULL,
    person TEXT COLLATE "C" NOT NULL,
    id TEXT COLLATE "C" NOT NULL,
    hash TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    is_usable_once BOOLEAN NOT NULL,
    used_at BIGINT,
    PRIMARY KEY (tenant, person)
);
CREATE INDEX access_pass_by_expiry ON access_pass (expires_at);

CREATE TABLE web_session (
    tenant TEXT COLLATE "C" NOT NULL,
    digest BYTEA NOT NULL,
    id TEXT COLLATE "C" NOT NULL,
    person TEXT COLLATE "C" NOT NULL,
    is_by_pass BOOLEAN NOT NULL,
    created_at BIGINT NOT NULL,
    last_used_at BIGINT NOT NULL,
    PRIMARY KEY (tenant, digest)
);
CREATE INDEX web_session_by_person ON web_session (tenant, person);
CREATE INDEX web_session_by_use ON web_session (last_used_at);
CREATE INDEX web_session_by_age ON web_session (created_at);

-- A challenge opens one session; a session opened by a pass gives one device the right to set up phone sign-in.
CREATE TABLE session_challenge (
    tenant TEXT COLLATE "C" NOT NULL,
    challenge TEXT COLLATE "C" NOT NULL,
    taken_at BIGINT NOT NULL,
    PRIMARY KEY (tenant, challenge)
);
CREATE INDEX session_challenge_by_age ON session_challenge (taken_at);

CREATE TABLE pass_grant (
    tenant TEXT COLLATE "C" NOT NULL,
    session TEXT COLLATE "C" NOT NULL,
    device TEXT COLLATE "C" NOT NULL,
    taken_at BIGINT NOT NULL,
    PRIMARY KEY (tenant, session)
);
CREATE INDEX pass_grant_by_age ON pass_grant (taken_at);

CREATE TABLE password_attempts (
    tenant TEXT COLLATE "C" NOT NULL,
    username TEXT COLLATE "C" NOT NULL,
    failures TEXT COLLATE "C" NOT NULL,
    delays BIGINT NOT NULL,
    next_allowed_at BIGINT,
    forgotten_at BIGINT NOT NULL,
    PRIMARY KEY (tenant, username)
);
CREATE INDEX password_attempts_by_age ON password_attempts (forgotten_at);

CREATE TABLE outbound_call (
    sequence BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind TEXT COLLATE "C" NOT NULL,
    tenant TEXT COLLATE "C" NOT NULL,
    request TEXT COLLATE "C" NOT NULL,
    origin TEXT COLLATE "C" NOT NULL,
    body BYTEA NOT NULL,
    created_at BIGINT NOT NULL,
    due_at BIGINT NOT NULL,
    fence BIGINT NOT NULL,
    attempts BIGINT NOT NULL
);
CREATE INDEX outbound_call_due ON outbound_call (due_at, sequence);
