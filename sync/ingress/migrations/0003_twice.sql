-- Own entries that a region with a smaller name logged too, until whoever counts changes knows it.
CREATE TABLE twice (
  seq   INTEGER PRIMARY KEY,
  at_ms INTEGER NOT NULL -- when the own entry was committed
);
