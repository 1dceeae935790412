-- What is kept until its request ends is much, and due to nobody: neither a look for what is due nor a count passes over it.
ALTER TABLE wake_up ALTER COLUMN stage TYPE TEXT COLLATE "C";
CREATE INDEX wake_up_stage ON wake_up (stage, transport, due_at, sequence);
DROP INDEX wake_up_due;
