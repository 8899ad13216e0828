-- Times are Unix milliseconds, months are UTC as YYYY-MM.

-- How far each region's stream has been read. The message at the watermark is known by its digest, so that a stream that
-- was cut back and went on is told from one that only grew.
CREATE TABLE reader (
  region     TEXT PRIMARY KEY,
  created_ms INTEGER NOT NULL, -- of the stream
  watermark  INTEGER NOT NULL, -- sequence of the last message counted
  digest     BLOB,
  epoch      INTEGER NOT NULL, -- how often reading began again
  read_ms    INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE total (
  tenant   TEXT NOT NULL,
  month    TEXT NOT NULL,
  meter    TEXT NOT NULL,
  region   TEXT NOT NULL,
  quantity INTEGER NOT NULL,
  events   INTEGER NOT NULL,
  PRIMARY KEY (tenant, month, meter, region)
) WITHOUT ROWID;

-- Members lo…hi of a numbered series that have been counted.
CREATE TABLE span (
  source TEXT NOT NULL,
  series TEXT NOT NULL,
  lo     INTEGER NOT NULL,
  hi     INTEGER NOT NULL,
  PRIMARY KEY (source, series, lo)
) WITHOUT ROWID;

-- Events with opaque ids that have been counted.
CREATE TABLE seen (
  source TEXT NOT NULL,
  id     TEXT NOT NULL,
  at_ms  INTEGER NOT NULL, -- when the region stored it
  PRIMARY KEY (source, id)
) WITHOUT ROWID;
CREATE INDEX seen_at ON seen (at_ms);

-- The latest reading of something that is read and not summed.
CREATE TABLE gauge (
  tenant TEXT NOT NULL,
  meter  TEXT NOT NULL,
  region TEXT NOT NULL,
  value  INTEGER NOT NULL,
  at_ms  INTEGER NOT NULL,
  PRIMARY KEY (tenant, meter, region)
) WITHOUT ROWID;

-- Readings held over time, up to the latest one: hours·unit and rest·unit·ms.
CREATE TABLE gauge_month (
  tenant TEXT NOT NULL,
  month  TEXT NOT NULL,
  meter  TEXT NOT NULL,
  region TEXT NOT NULL,
  hours  INTEGER NOT NULL,
  rest   INTEGER NOT NULL,
  last   INTEGER NOT NULL, -- the latest value in the month
  PRIMARY KEY (tenant, month, meter, region)
) WITHOUT ROWID;

-- Events that could not be counted, for an operator to decide about. The number goes on when the rows have reached their bound.
CREATE TABLE aside (
  region TEXT NOT NULL,
  epoch  INTEGER NOT NULL,
  seq    INTEGER NOT NULL,
  why    TEXT NOT NULL,
  event  BLOB NOT NULL,
  at_ms  INTEGER NOT NULL,
  PRIMARY KEY (region, epoch, seq)
) WITHOUT ROWID;

-- What went wrong with a stream as a whole.
CREATE TABLE incident (
  region TEXT NOT NULL,
  at_ms  INTEGER NOT NULL,
  what   TEXT NOT NULL
);
