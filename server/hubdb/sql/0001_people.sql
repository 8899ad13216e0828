-- Times are Unix milliseconds. Secrets that somebody else holds (codes) are kept as SHA-256 only.

CREATE TABLE person (
  id         TEXT PRIMARY KEY,
  name       TEXT NOT NULL,
  created_ms INTEGER NOT NULL
) WITHOUT ROWID;

-- credential is the library's whole record as JSON: dropping any part of it breaks later sign-ins.
CREATE TABLE passkey (
  id         TEXT PRIMARY KEY, -- credential id, base64url
  person     TEXT NOT NULL REFERENCES person,
  name       TEXT NOT NULL,
  credential BLOB NOT NULL,
  created_ms INTEGER NOT NULL,
  used_ms    INTEGER
);
CREATE INDEX passkey_person ON passkey (person);

CREATE TABLE session (
  id         TEXT PRIMARY KEY,
  person     TEXT NOT NULL REFERENCES person,
  via        TEXT NOT NULL, -- "passkey" or "link"
  agent      TEXT NOT NULL, -- browser and system, as shown to the person
  ip         TEXT NOT NULL,
  region     TEXT NOT NULL,
  created_ms INTEGER NOT NULL,
  seen_ms    INTEGER NOT NULL,
  ended_ms   INTEGER
) WITHOUT ROWID;
CREATE INDEX session_person ON session (person) WHERE ended_ms IS NULL;

-- A ceremony is a passkey dialogue under way; it is taken out when it is answered, rightly or wrongly.
CREATE TABLE ceremony (
  challenge  BLOB PRIMARY KEY, -- SHA-256
  kind       TEXT NOT NULL,
  person     TEXT NOT NULL,    -- empty for a sign-in
  name       TEXT NOT NULL,
  data       BLOB NOT NULL,    -- the library's, opaque
  expires_ms INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX ceremony_expires ON ceremony (expires_ms);

CREATE TABLE link_code (
  hash       BLOB PRIMARY KEY,
  person     TEXT NOT NULL REFERENCES person,
  session    TEXT NOT NULL REFERENCES session,
  expires_ms INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE signing_key (
  kid        TEXT PRIMARY KEY,
  private    BLOB,             -- Ed25519 seed; gone when retired
  public     BLOB NOT NULL,
  signs_ms   INTEGER NOT NULL, -- from when tokens are signed with it
  retired_ms INTEGER
) WITHOUT ROWID;

CREATE TABLE tenant (
  id         TEXT PRIMARY KEY,
  name       TEXT NOT NULL,
  home       TEXT NOT NULL,
  regions    TEXT NOT NULL, -- JSON list; empty: all
  limits     TEXT NOT NULL, -- JSON object
  state      TEXT NOT NULL,
  created_ms INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE member (
  tenant     TEXT NOT NULL REFERENCES tenant,
  person     TEXT NOT NULL REFERENCES person,
  role       TEXT NOT NULL,
  color      TEXT NOT NULL,
  active     INTEGER NOT NULL,
  changed_ms INTEGER NOT NULL, -- grows with every change of this row
  PRIMARY KEY (tenant, person)
) WITHOUT ROWID;
CREATE INDEX member_person ON member (person);

CREATE TABLE invitation (
  id         TEXT PRIMARY KEY,
  hash       BLOB NOT NULL UNIQUE,
  tenant     TEXT NOT NULL REFERENCES tenant,
  inviter    TEXT NOT NULL REFERENCES person,
  role       TEXT NOT NULL,
  uses_left  INTEGER NOT NULL,
  created_ms INTEGER NOT NULL,
  expires_ms INTEGER NOT NULL,
  revoked_ms INTEGER
) WITHOUT ROWID;
CREATE INDEX invitation_tenant ON invitation (tenant);

-- The number of paid seats from a moment on: a row for each change.
CREATE TABLE seats (
  tenant TEXT NOT NULL REFERENCES tenant,
  at_ms  INTEGER NOT NULL,
  seats  INTEGER NOT NULL,
  PRIMARY KEY (tenant, at_ms)
) WITHOUT ROWID;

CREATE TABLE region (
  name    TEXT PRIMARY KEY,
  url     TEXT NOT NULL,
  seen_ms INTEGER NOT NULL
) WITHOUT ROWID;

-- What the directory bucket must hold. A row with sent < version has still to be written there; value NULL: removed there.
CREATE TABLE record (
  key      TEXT PRIMARY KEY,
  value    BLOB,
  until_ms INTEGER, -- may be dropped then
  version  INTEGER NOT NULL,
  sent     INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX record_version ON record (version);
CREATE INDEX record_unsent ON record (version) WHERE sent < version;
CREATE INDEX record_until ON record (until_ms) WHERE until_ms IS NOT NULL;
