-- The stored reply to each request that had an effect. Times are milliseconds since 1970. `reply` is NULL once its time is over.
CREATE TABLE memo (
    request BLOB NOT NULL PRIMARY KEY,
    fingerprint BLOB NOT NULL,
    reply BLOB,
    reply_until INTEGER NOT NULL,
    kept_until INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX memo_kept_until ON memo (kept_until);
-- Only replies that hold secrets go before their memo does.
CREATE INDEX memo_reply_until ON memo (reply_until) WHERE reply IS NOT NULL AND reply_until < kept_until;
