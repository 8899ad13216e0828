-- Replies to requests that carried an idempotency key, for a day: the same request gets the same reply.
CREATE TABLE reply (
  owner  TEXT NOT NULL,
  key    TEXT NOT NULL,
  print  BLOB NOT NULL, -- of the request: SHA-256
  status INTEGER NOT NULL,
  type   TEXT NOT NULL,
  body   BLOB NOT NULL,
  at     INTEGER NOT NULL,
  PRIMARY KEY (owner, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX reply_at ON reply (at);
