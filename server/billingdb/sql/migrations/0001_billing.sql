-- An account's document holds what changes; what only grows, or is asked for by itself, has tables.
CREATE TABLE account (
  id       TEXT PRIMARY KEY,
  place    INTEGER NOT NULL UNIQUE,
  currency TEXT NOT NULL,
  status   TEXT NOT NULL,
  plan     TEXT NOT NULL,
  doc      BLOB NOT NULL
) STRICT;

CREATE TABLE sub_event (
  account TEXT NOT NULL,
  n       INTEGER NOT NULL,
  doc     BLOB NOT NULL,
  PRIMARY KEY (account, n)
) STRICT, WITHOUT ROWID;

CREATE TABLE notice (
  account TEXT NOT NULL,
  n       INTEGER NOT NULL,
  at      INTEGER NOT NULL,
  kind    TEXT NOT NULL,
  doc     BLOB NOT NULL,
  PRIMARY KEY (account, n)
) STRICT, WITHOUT ROWID;

CREATE TABLE invoice (
  account TEXT NOT NULL,
  id      TEXT NOT NULL,
  place   INTEGER NOT NULL,
  number  TEXT NOT NULL UNIQUE,
  state   TEXT NOT NULL,
  issued  INTEGER,
  total   INTEGER NOT NULL,
  due     INTEGER NOT NULL,
  doc     BLOB NOT NULL,
  PRIMARY KEY (account, id)
) STRICT;

CREATE TABLE credit_note (
  account TEXT NOT NULL,
  n       INTEGER NOT NULL,
  number  TEXT NOT NULL UNIQUE,
  issued  INTEGER NOT NULL,
  total   INTEGER NOT NULL,
  doc     BLOB NOT NULL,
  PRIMARY KEY (account, n)
) STRICT, WITHOUT ROWID;

-- The ledger: rows are never changed or removed, which the triggers hold.
CREATE TABLE booking (
  n         INTEGER PRIMARY KEY,
  account   TEXT NOT NULL,
  key       TEXT NOT NULL,
  at        INTEGER NOT NULL,
  effective INTEGER NOT NULL,
  currency  TEXT NOT NULL,
  doc       BLOB NOT NULL,
  UNIQUE (account, key)
) STRICT;
CREATE INDEX booking_effective ON booking (effective);

CREATE TRIGGER booking_keeps BEFORE UPDATE ON booking BEGIN SELECT RAISE(ABORT, 'bookings are never changed'); END;
CREATE TRIGGER booking_stays BEFORE DELETE ON booking BEGIN SELECT RAISE(ABORT, 'bookings are never removed'); END;

CREATE TABLE usage_event (
  account TEXT NOT NULL,
  source  TEXT NOT NULL,
  id      TEXT NOT NULL,
  type    TEXT NOT NULL,
  at      INTEGER NOT NULL,
  doc     BLOB NOT NULL,
  PRIMARY KEY (account, source, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE stray_wire (
  id  TEXT PRIMARY KEY,
  doc BLOB NOT NULL
) STRICT;

CREATE TABLE numbers (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  doc BLOB NOT NULL
) STRICT;
