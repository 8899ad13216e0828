-- edge/dir: the copy of the hub's directory.
CREATE TABLE directory (
  key      TEXT PRIMARY KEY,
  revision INTEGER NOT NULL,
  value    BLOB NOT NULL
) WITHOUT ROWID;

CREATE TABLE directory_mark (
  one        INTEGER PRIMARY KEY CHECK (one = 1),
  bucket     INTEGER NOT NULL, -- when the hub made the bucket, Unix nanoseconds: another bucket has other revisions
  revision   INTEGER NOT NULL, -- all up to here is in the copy
  current_ms INTEGER NOT NULL  -- when the copy was last known to be complete
);

-- edge/stream: how far each stream of another region has been read.
CREATE TABLE mark (
  region TEXT NOT NULL,
  shard  INTEGER NOT NULL,
  stream INTEGER NOT NULL, -- when the region made the stream, Unix nanoseconds
  seq    INTEGER NOT NULL,
  PRIMARY KEY (region, shard)
) WITHOUT ROWID;

-- edge/stream: per origin and workspace, the last sequence that is in this region's file. May be a little behind the
-- file, never ahead.
CREATE TABLE head (
  origin TEXT NOT NULL,
  tenant TEXT NOT NULL,
  seq    INTEGER NOT NULL,
  PRIMARY KEY (origin, tenant)
) WITHOUT ROWID;

-- edge/stream: workspaces whose log may hold what is not in the stream, in head or in counted yet.
CREATE TABLE dirty (
  tenant TEXT PRIMARY KEY
) WITHOUT ROWID;

-- edge/meter: the last sequence of the own log that is in a usage event.
CREATE TABLE counted (
  tenant TEXT PRIMARY KEY,
  seq    INTEGER NOT NULL
) WITHOUT ROWID;

-- edge/meter: usage on its way to the stream, in the stream's order. n is never used twice. What members first to last
-- are depends on the meter: sequences of the own log, numbers of API records, the hour of a reading.
CREATE TABLE usage (
  n         INTEGER PRIMARY KEY AUTOINCREMENT,
  meter     TEXT NOT NULL,
  tenant    TEXT NOT NULL,
  at_ms     INTEGER NOT NULL,
  first     INTEGER NOT NULL,
  last      INTEGER NOT NULL,
  quantity  INTEGER NOT NULL
);

-- edge/meter: the last number of a series that was given out.
CREATE TABLE counter (
  name TEXT PRIMARY KEY,
  last INTEGER NOT NULL
) WITHOUT ROWID;
