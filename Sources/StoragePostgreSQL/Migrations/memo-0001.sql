-- The stored reply to each request that had an effect. Times are milliseconds since 1970. `reply` is NULL once its time is over.
CREATE TABLE memo (
    request BYTEA NOT NULL PRIMARY KEY,
    fingerprint BYTEA NOT NULL,
    reply BYTEA,
    reply_until BIGINT NOT NULL,
    kept_until BIGINT NOT NULL
);

CREATE INDEX memo_kept_until ON memo (kept_until);
-- Only replies that hold secrets go before their memo does.
CREATE INDEX memo_reply_until ON memo (reply_until) WHERE reply IS NOT NULL AND reply_until < kept_until;
