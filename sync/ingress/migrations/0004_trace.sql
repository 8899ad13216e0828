-- What was trimmed out of the log before all regions had it: enough to tell whether a region that did not know of it accepted
-- the same change.
CREATE TABLE trace (
  origin  INTEGER NOT NULL,
  seq     INTEGER NOT NULL,
  replica INTEGER NOT NULL,
  num     INTEGER NOT NULL,
  sum     BLOB NOT NULL, -- of what was pushed
  at_ms   INTEGER NOT NULL, -- when it was committed here
  PRIMARY KEY (origin, seq)
) WITHOUT ROWID;

CREATE INDEX trace_num ON trace (replica, num);
