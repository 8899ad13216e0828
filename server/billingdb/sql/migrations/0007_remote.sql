-- What a processor elsewhere is asked, and what it told: calls are made and repeated by a worker, so that nothing waits for the network.
CREATE TABLE remote_job (
  key     TEXT PRIMARY KEY,
  account TEXT NOT NULL,
  kind    TEXT NOT NULL, -- charge, refund, setup
  doc     BLOB NOT NULL,
  state   TEXT NOT NULL, -- pending: to be asked; open: it has not decided; done
  remote  TEXT NOT NULL, -- the processor's own id
  tries   INTEGER NOT NULL,
  made    INTEGER NOT NULL,
  due     INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX remote_job_due ON remote_job (due) WHERE state <> 'done';
CREATE INDEX remote_job_remote ON remote_job (remote) WHERE remote <> '';
CREATE INDEX remote_job_account ON remote_job (account) WHERE state <> 'done';

CREATE TABLE remote_event (
  id  TEXT PRIMARY KEY,
  at  INTEGER NOT NULL,
  doc BLOB NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE remote_customer (
  account TEXT PRIMARY KEY,
  remote  TEXT NOT NULL
) STRICT, WITHOUT ROWID;
