-- How many bytes an origin's entries take in the log, which bounds it.
ALTER TABLE origin ADD COLUMN bytes INTEGER NOT NULL DEFAULT 0;
UPDATE origin SET bytes = (SELECT coalesce(sum(length(tx)), 0) FROM log WHERE log.origin = origin.id);

-- The latest stamp of each replica's changes that were trimmed: the next one must lie after it.
CREATE TABLE latest (
  replica INTEGER PRIMARY KEY,
  stamp   BLOB NOT NULL
);
