-- What the built-in test processor was asked, in order: it is played again at a start, as a bank would simply remember.
CREATE TABLE processor_call (
  n   INTEGER PRIMARY KEY,
  at  INTEGER NOT NULL,
  doc BLOB NOT NULL
) STRICT;

-- What the nightly reconciliation found: one row for each difference, with the day on which it was seen.
CREATE TABLE difference (
  day      TEXT NOT NULL,
  customer TEXT NOT NULL,
  what     TEXT NOT NULL,
  doc      BLOB NOT NULL,
  PRIMARY KEY (day, customer, what)
) STRICT, WITHOUT ROWID;
