-- The rows of a workspace, one table for each in sync/work. NULL in a column that may not be empty means that no write of
-- it has come yet. born is 1 when every required column has been written; readers leave other rows out. clock tells
-- when each column was written last (sync/crdt, PackClock).

CREATE TABLE workspace (
  id    TEXT PRIMARY KEY,
  name  TEXT,
  born  INTEGER NOT NULL,
  clock BLOB NOT NULL
) WITHOUT ROWID;

CREATE TABLE member (
  id     TEXT PRIMARY KEY,
  name   TEXT,
  role   TEXT,
  active INTEGER,
  color  TEXT,
  born   INTEGER NOT NULL,
  clock  BLOB NOT NULL
) WITHOUT ROWID;

CREATE TABLE project (
  id      TEXT PRIMARY KEY,
  name    TEXT,
  color   TEXT,
  rank    TEXT,
  deleted INTEGER,
  born    INTEGER NOT NULL,
  clock   BLOB NOT NULL
) WITHOUT ROWID;

CREATE TABLE label (
  id      TEXT PRIMARY KEY,
  name    TEXT,
  color   TEXT,
  deleted INTEGER,
  born    INTEGER NOT NULL,
  clock   BLOB NOT NULL
) WITHOUT ROWID;

-- Tasks and comments may be large, which a table WITHOUT ROWID is slow at.
CREATE TABLE task (
  id          TEXT PRIMARY KEY,
  project     TEXT,
  title       TEXT,
  description TEXT,
  status      TEXT,
  priority    INTEGER,
  assignee    TEXT,
  due         TEXT,
  rank        TEXT,
  author      TEXT,
  deleted     INTEGER,
  born        INTEGER NOT NULL,
  clock       BLOB NOT NULL
);

-- The last two columns say nothing new, but let counts be answered from the index alone.
CREATE INDEX task_place ON task (project, status, rank, id, deleted, born) WHERE deleted IS NULL AND born = 1;
CREATE INDEX task_assignee ON task (assignee) WHERE assignee IS NOT NULL;
CREATE INDEX task_deleted ON task (deleted) WHERE deleted IS NOT NULL;

CREATE TABLE task_label (
  id      TEXT PRIMARY KEY,
  task    TEXT,
  label   TEXT,
  present INTEGER,
  born    INTEGER NOT NULL,
  clock   BLOB NOT NULL
) WITHOUT ROWID;

CREATE INDEX task_label_task ON task_label (task);
CREATE INDEX task_label_label ON task_label (label);

CREATE TABLE comment (
  id      TEXT PRIMARY KEY,
  task    TEXT,
  author  TEXT,
  body    TEXT,
  deleted INTEGER,
  born    INTEGER NOT NULL,
  clock   BLOB NOT NULL
);

CREATE INDEX comment_task ON comment (task);

-- Every value that a column had, but the one it was created with while that is still there. base is the stamp of the value
-- that the writer saw; empty when there was none.
CREATE TABLE history (
  row   TEXT NOT NULL,
  stamp BLOB NOT NULL,
  col   TEXT NOT NULL,
  value,
  base  BLOB NOT NULL,
  actor TEXT NOT NULL,
  PRIMARY KEY (row, stamp, col)
) WITHOUT ROWID;
