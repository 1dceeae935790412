-- One row: the number of the latest change of this installation.
CREATE TABLE revision (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    latest INTEGER NOT NULL
) STRICT;
INSERT INTO revision (one, latest) VALUES (1, 1);

CREATE TABLE tenant (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    revision INTEGER NOT NULL UNIQUE,
    policy_json TEXT NOT NULL,
    policy_revision INTEGER NOT NULL,
    settings_json TEXT NOT NULL,
    settings_revision INTEGER NOT NULL
) STRICT;

CREATE TABLE client (
    place INTEGER PRIMARY KEY AUTOINCREMENT,
    tenant TEXT NOT NULL REFERENCES tenant (id),
    id TEXT NOT NULL,
    name TEXT NOT NULL,
    secret_digest BLOB NOT NULL,
    applications_json TEXT NOT NULL,
    any_application INTEGER NOT NULL,
    roles_json TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    UNIQUE (tenant, id)
) STRICT;

CREATE TABLE token (
    digest BLOB PRIMARY KEY,
    id TEXT NOT NULL,
    tenant TEXT NOT NULL REFERENCES tenant (id),
    client TEXT,
    administrator TEXT,
    created_at INTEGER NOT NULL,
    expires_at INTEGER,
    CHECK ((client IS NULL) <> (administrator IS NULL)),
    FOREIGN KEY (tenant, client) REFERENCES client (tenant, id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
CREATE INDEX token_by_client ON token (tenant, client) WHERE client IS NOT NULL;
CREATE INDEX token_by_expiry ON token (expires_at) WHERE expires_at IS NOT NULL;
