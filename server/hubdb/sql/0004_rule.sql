-- Rules of workspaces: WebAssembly modules that regions ask about each change.
CREATE TABLE rule (
  tenant     TEXT NOT NULL REFERENCES tenant,
  id         TEXT NOT NULL,
  name       TEXT NOT NULL,
  active     INTEGER NOT NULL,
  hash       BLOB NOT NULL, -- SHA-256 of module
  module     BLOB NOT NULL,
  created_ms INTEGER NOT NULL,
  changed_ms INTEGER NOT NULL,
  PRIMARY KEY (tenant, id)
);
