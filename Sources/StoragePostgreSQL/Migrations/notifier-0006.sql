-- A device that cannot be rung gives its place of the request to another, and is not rung again all the same.
ALTER TABLE delivery_claim ADD COLUMN has_place BOOLEAN NOT NULL DEFAULT TRUE;
