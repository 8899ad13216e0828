-- What every origin region has accepted for this workspace, as far as it is known here.
CREATE TABLE origin (
  id    INTEGER PRIMARY KEY,
  name  TEXT NOT NULL UNIQUE,
  head  INTEGER NOT NULL, -- the last sequence; all before it are merged
  floor INTEGER NOT NULL  -- entries up to this one are no longer in the log
);

CREATE TABLE log (
  origin  INTEGER NOT NULL,
  seq     INTEGER NOT NULL,
  replica INTEGER NOT NULL, -- who pushed it, with its number there; 0 and 0 when the edge made it
  num     INTEGER NOT NULL,
  at_ms   INTEGER NOT NULL, -- when it was committed here
  tx      BLOB NOT NULL,
  PRIMARY KEY (origin, seq)
) WITHOUT ROWID;

-- A repeated push finds its fate here, also when another region accepted it.
CREATE INDEX log_num ON log (replica, num) WHERE num > 0;

CREATE TABLE replica (
  replica INTEGER PRIMARY KEY,
  member  TEXT NOT NULL,
  settled INTEGER NOT NULL -- the replica knows the fates up to this number
);

-- Fates that the log does not tell: of rejected changes, and of accepted ones whose entry was trimmed.
CREATE TABLE fate (
  replica INTEGER NOT NULL,
  num     INTEGER NOT NULL,
  sum     BLOB NOT NULL, -- of what was pushed
  fate    BLOB NOT NULL,
  PRIMARY KEY (replica, num)
) WITHOUT ROWID;

-- How far other regions have applied each origin's log.
CREATE TABLE applied (
  region TEXT NOT NULL,
  origin TEXT NOT NULL,
  seq    INTEGER NOT NULL,
  PRIMARY KEY (region, origin)
) WITHOUT ROWID;
