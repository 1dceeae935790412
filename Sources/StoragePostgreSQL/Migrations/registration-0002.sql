-- Whom an entry concerns: each look at security info asks for the person's own.
CREATE INDEX audit_target ON audit (tenant, target, sequence);
