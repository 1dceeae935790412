-- A lease of which its holder has said nothing when it is over was lost, and with it an attempt.
ALTER TABLE wake_up ADD COLUMN heard_fence BIGINT NOT NULL DEFAULT 0;
UPDATE wake_up SET heard_fence = fence;
