-- Every reconciliation that ran, also those that found nothing: an operator sees that it was done.
CREATE TABLE reconciliation (
  at          INTEGER PRIMARY KEY,
  customers   INTEGER NOT NULL,
  differences INTEGER NOT NULL
) STRICT;
