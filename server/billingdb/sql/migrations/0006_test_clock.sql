-- Workspaces whose account runs on a test clock, in a database of its own, and where the clock stands.
CREATE TABLE test_clock (
  tenant  TEXT PRIMARY KEY,
  started INTEGER NOT NULL, -- on the hub's clock
  at      INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
