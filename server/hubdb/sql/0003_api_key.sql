-- Keys with which a customer's own programs call the public API for one workspace.
CREATE TABLE api_key (
  id         TEXT PRIMARY KEY, -- the part of the key that may be shown
  hash       BLOB NOT NULL,    -- SHA-256 of the whole key
  tenant     TEXT NOT NULL REFERENCES tenant,
  name       TEXT NOT NULL,
  scopes     TEXT NOT NULL,    -- with a space between two
  creator    TEXT NOT NULL REFERENCES person,
  created_ms INTEGER NOT NULL,
  expires_ms INTEGER,          -- NULL: never
  used_ms    INTEGER,
  revoked_ms INTEGER
) WITHOUT ROWID;
CREATE INDEX api_key_tenant ON api_key (tenant);
