-- edge/refused: answers that replicas may ask for again and that no log tells, in case a workspace's file is lost.
CREATE TABLE refused (
  tenant  TEXT NOT NULL,
  replica INTEGER NOT NULL,
  num     INTEGER NOT NULL,
  sum     BLOB NOT NULL,
  fate    BLOB NOT NULL,
  PRIMARY KEY (tenant, replica, num)
) WITHOUT ROWID;
