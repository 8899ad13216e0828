-- Operators run the whole installation. The links that make them hold a code, of which only the hash is kept.
CREATE TABLE operator (
  person   TEXT PRIMARY KEY REFERENCES person,
  since_ms INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE operator_link (
  hash       BLOB PRIMARY KEY,
  expires_ms INTEGER NOT NULL
) WITHOUT ROWID;

-- What operators did. Rows are never changed or removed, which the triggers hold.
CREATE TABLE audit (
  n       INTEGER PRIMARY KEY,
  at_ms   INTEGER NOT NULL,
  person  TEXT NOT NULL, -- empty: the command line of the hub
  action  TEXT NOT NULL,
  subject TEXT NOT NULL, -- whom or what it was done to, such as a workspace's id
  detail  TEXT NOT NULL
);
CREATE INDEX audit_subject ON audit (subject, n);

CREATE TRIGGER audit_keeps BEFORE UPDATE ON audit BEGIN SELECT RAISE(ABORT, 'what was done stays as it was written'); END;
CREATE TRIGGER audit_stays BEFORE DELETE ON audit BEGIN SELECT RAISE(ABORT, 'what was done stays written'); END;
