-- The W3C traceparent of what began it; null when that is not traced.
ALTER TABLE challenge ADD COLUMN trace TEXT COLLATE "C";
ALTER TABLE outbox ADD COLUMN trace TEXT COLLATE "C";
