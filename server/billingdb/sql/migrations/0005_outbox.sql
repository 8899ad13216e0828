-- What leaves the hub. The rows of a notice's mails and webhooks are written in the transaction that makes the notice.
CREATE TABLE endpoint (
  id     TEXT PRIMARY KEY,
  owner  TEXT NOT NULL, -- a workspace; '' is the operator, who hears of all
  state  TEXT NOT NULL, -- active, off
  events TEXT NOT NULL, -- a JSON list of kinds; an empty one is all
  doc    BLOB NOT NULL
) STRICT;
CREATE INDEX endpoint_owner ON endpoint (owner);

CREATE TABLE delivery (
  seq       INTEGER PRIMARY KEY AUTOINCREMENT, -- never used twice: it names what was sent
  lane      TEXT NOT NULL,                     -- an endpoint; '' is mail
  account   TEXT NOT NULL,
  n         INTEGER NOT NULL,                  -- the account's notice
  kind      TEXT NOT NULL,
  state     TEXT NOT NULL,                     -- pending, sent, failed, kept, skipped
  tries     INTEGER NOT NULL DEFAULT 0,        -- of the schedule; a manual resend begins anew
  due       INTEGER NOT NULL,
  at        INTEGER NOT NULL,
  recipient TEXT NOT NULL DEFAULT '',
  reason    TEXT NOT NULL DEFAULT '',
  letter    BLOB                               -- the mail as it was composed
) STRICT;
CREATE INDEX delivery_pending ON delivery (lane, seq) WHERE state = 'pending';
CREATE INDEX delivery_lane ON delivery (lane, seq);
CREATE INDEX delivery_account ON delivery (account, seq);

CREATE TABLE attempt (
  delivery INTEGER NOT NULL,
  n        INTEGER NOT NULL,
  at       INTEGER NOT NULL,
  took     INTEGER NOT NULL, -- milliseconds
  reason   TEXT NOT NULL,    -- empty: it arrived
  PRIMARY KEY (delivery, n)
) STRICT, WITHOUT ROWID;
CREATE INDEX notice_at ON notice (at);
