-- One of a transport's services that is away must not fill all that its tenant may have waiting over it.
ALTER TABLE wake_up ADD COLUMN service TEXT COLLATE "C" NOT NULL DEFAULT '';
DROP INDEX wake_up_owed;
CREATE INDEX wake_up_owed ON wake_up (stage, transport, tenant, service) WHERE stage = 'ring';
