-- A wake-up is leased by the process that sends it: due again when the lease is over.
ALTER TABLE wake_up ADD COLUMN due_at BIGINT NOT NULL DEFAULT 0;
ALTER TABLE wake_up ADD COLUMN fence BIGINT NOT NULL DEFAULT 0;
ALTER TABLE wake_up ADD COLUMN attempts BIGINT NOT NULL DEFAULT 0;
CREATE INDEX wake_up_due ON wake_up (transport, due_at, sequence);
CREATE INDEX wake_up_challenge ON wake_up (tenant, challenge);
