-- A device that cannot be rung gives its place of the request to another, and is not rung again all the same.
ALTER TABLE delivery_claim ADD COLUMN has_place INTEGER NOT NULL DEFAULT 1;
