-- Who this replica is: one row.
CREATE TABLE self (
  replica   INTEGER NOT NULL, -- random; in every stamp
  member    TEXT NOT NULL,
  floor     BLOB NOT NULL,    -- the newest stamp of an accepted change: later ones come after it
  offset_ms INTEGER NOT NULL  -- what the edge said the device's clock is off by
);

-- The last sequence merged of each origin's log. A snapshot brings its own.
CREATE TABLE IF NOT EXISTS cursor (
  origin TEXT PRIMARY KEY,
  seq    INTEGER NOT NULL
) WITHOUT ROWID;

-- Changes without a known fate, in the order in which they were made.
CREATE TABLE outbox (
  num INTEGER PRIMARY KEY,
  tx  BLOB NOT NULL
);

-- What rows with pending changes would be without them. The row's own table holds what is shown.
CREATE TABLE shadow (
  tbl   TEXT NOT NULL,
  id    TEXT NOT NULL,
  cells BLOB NOT NULL,
  PRIMARY KEY (tbl, id)
) WITHOUT ROWID;

-- Accepted changes that are not known to be everywhere yet.
CREATE TABLE sent (
  num    INTEGER PRIMARY KEY,
  origin TEXT NOT NULL,
  seq    INTEGER NOT NULL,
  tx     BLOB NOT NULL
);

-- Refused changes, until the person decides.
CREATE TABLE refused (
  num    INTEGER PRIMARY KEY,
  kind   INTEGER NOT NULL,
  detail TEXT NOT NULL,
  tx     BLOB NOT NULL
);

-- Which edits were done, so that one sent twice by the page is done once. The greatest number is the last one used.
CREATE TABLE done (
  num INTEGER PRIMARY KEY,
  key TEXT NOT NULL UNIQUE
);

-- How many tasks there are of each project and status; those in Trash have the status 'trash'. Counting 100,000 tasks
-- anew for every redraw would cost more than the redraw.
CREATE TABLE tally (
  project TEXT NOT NULL,
  status  TEXT NOT NULL,
  n       INTEGER NOT NULL,
  PRIMARY KEY (project, status)
) WITHOUT ROWID;

-- In two, so that each is answered from an index: a new device waits for this.
INSERT INTO tally (project, status, n)
SELECT project, status, count(*) FROM task WHERE deleted IS NULL AND born = 1 GROUP BY project, status
UNION ALL SELECT project, 'trash', count(*) FROM task WHERE deleted IS NOT NULL AND born = 1 GROUP BY project;

CREATE TRIGGER tally_insert AFTER INSERT ON task WHEN NEW.born = 1 BEGIN
  INSERT INTO tally (project, status, n) VALUES (NEW.project, CASE WHEN NEW.deleted IS NULL THEN NEW.status ELSE 'trash' END, 1)
  ON CONFLICT DO UPDATE SET n = n + 1;
END;

CREATE TRIGGER tally_delete AFTER DELETE ON task WHEN OLD.born = 1 BEGIN
  UPDATE tally SET n = n - 1 WHERE project = OLD.project AND status = CASE WHEN OLD.deleted IS NULL THEN OLD.status ELSE 'trash' END;
END;

CREATE TRIGGER tally_update AFTER UPDATE OF project, status, deleted, born ON task
WHEN OLD.project IS NOT NEW.project OR OLD.status IS NOT NEW.status OR (OLD.deleted IS NULL) <> (NEW.deleted IS NULL) OR OLD.born <> NEW.born
BEGIN
  UPDATE tally SET n = n - 1
  WHERE OLD.born = 1 AND project = OLD.project AND status = CASE WHEN OLD.deleted IS NULL THEN OLD.status ELSE 'trash' END;
  INSERT INTO tally (project, status, n)
  SELECT NEW.project, CASE WHEN NEW.deleted IS NULL THEN NEW.status ELSE 'trash' END, 1 WHERE NEW.born = 1
  ON CONFLICT DO UPDATE SET n = n + 1;
END;

-- Lists over all projects. The last three columns are in it so that rows are skipped without being read.
CREATE INDEX task_everywhere ON task (status, rank, id, project, deleted, born) WHERE deleted IS NULL AND born = 1;
