-- What a new request of a person looks at, without the decoys, of which anybody can make any number.
CREATE INDEX challenge_open ON challenge (tenant, person, created_at)
    WHERE lapses_at IS NOT NULL AND (is_decoy = 0 OR status <> 'pending');
