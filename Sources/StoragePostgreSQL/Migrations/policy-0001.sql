-- One row: the number of the latest change of this installation.
CREATE TABLE revision (
    one BIGINT PRIMARY KEY CHECK (one = 1),
    latest BIGINT NOT NULL
);
INSERT INTO revision (one, latest) VALUES (1, 1);

CREATE TABLE tenant (
    id TEXT COLLATE "C" PRIMARY KEY,
    name TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL,
    revision BIGINT NOT NULL UNIQUE,
    policy_json TEXT COLLATE "C" NOT NULL,
    policy_revision BIGINT NOT NULL,
    settings_json TEXT COLLATE "C" NOT NULL,
    settings_revision BIGINT NOT NULL
);

CREATE TABLE client (
    place BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant TEXT COLLATE "C" NOT NULL REFERENCES tenant (id),
    id TEXT COLLATE "C" NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    secret_digest BYTEA NOT NULL,
    applications_json TEXT COLLATE "C" NOT NULL,
    any_application BOOLEAN NOT NULL,
    roles_json TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL,
    UNIQUE (tenant, id)
);

CREATE TABLE token (
    digest BYTEA PRIMARY KEY,
    id TEXT COLLATE "C" NOT NULL,
    tenant TEXT COLLATE "C" NOT NULL REFERENCES tenant (id),
    client TEXT COLLATE "C",
    administrator TEXT COLLATE "C",
    created_at BIGINT NOT NULL,
    expires_at BIGINT,
    CHECK ((client IS NULL) <> (administrator IS NULL)),
    FOREIGN KEY (tenant, client) REFERENCES client (tenant, id) ON DELETE CASCADE
);
CREATE INDEX token_by_client ON token (tenant, client) WHERE client IS NOT NULL;
CREATE INDEX token_by_expiry ON token (expires_at) WHERE expires_at IS NOT NULL;
