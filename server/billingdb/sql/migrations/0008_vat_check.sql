-- When a VAT number is asked about next. A number that changed is asked about anew.
CREATE TABLE vat_check (
  account TEXT PRIMARY KEY,
  number  TEXT NOT NULL,
  due     INTEGER NOT NULL,
  tries   INTEGER NOT NULL -- that got no answer, in a row
) STRICT, WITHOUT ROWID;
