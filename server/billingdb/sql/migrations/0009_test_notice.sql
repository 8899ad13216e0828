-- What happened on test clocks, kept here to be told: the books of a clock are gone when it is taken away.
CREATE TABLE test_notice (
  seq    INTEGER PRIMARY KEY AUTOINCREMENT, -- deliveries name it
  tenant TEXT NOT NULL,
  clock  INTEGER NOT NULL, -- when the test clock began, on the hub's clock
  heard  INTEGER NOT NULL, -- on the hub's clock
  kind   TEXT NOT NULL,
  doc    BLOB NOT NULL
) STRICT;
CREATE INDEX test_notice_heard ON test_notice (heard);

ALTER TABLE test_clock ADD COLUMN told INTEGER NOT NULL DEFAULT 0; -- so many of its notices are in test_notice
ALTER TABLE delivery ADD COLUMN test INTEGER NOT NULL DEFAULT 0;   -- the test_notice; 0: it is the account's notice n
