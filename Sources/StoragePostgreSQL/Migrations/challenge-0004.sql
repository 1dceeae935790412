-- A challenge is in challenge_open, or is one of the decoys that nobody has answered: in one index of the two, not in both.
DROP INDEX challenge_live;
CREATE INDEX challenge_decoys ON challenge (tenant, person, created_at)
    WHERE lapses_at IS NOT NULL AND is_decoy AND status = 'pending';
