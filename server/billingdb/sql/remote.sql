-- name: add-job
INSERT INTO remote_job (key, account, kind, doc, state, remote, tries, made, due) VALUES (?, ?, ?, ?, ?, ?, 0, ?, ?) ON CONFLICT DO NOTHING;

-- name: due-jobs
SELECT key, account, kind, doc, state, remote, tries, made, due FROM remote_job WHERE state <> 'done' AND due <= ? ORDER BY due, key LIMIT ?;

-- name: job
SELECT key, account, kind, doc, state, remote, tries, made, due FROM remote_job WHERE key = ?;

-- name: job-of
SELECT key, account, kind, doc, state, remote, tries, made, due FROM remote_job WHERE remote = ?;

-- name: put-job
UPDATE remote_job SET state = ?2, remote = ?3, tries = ?4, due = ?5 WHERE key = ?1;

-- name: hurry
UPDATE remote_job SET due = ?2 WHERE account = ?1 AND state = 'open' AND due > ?2 AND due <= ?3;

-- name: hurry-remote
UPDATE remote_job SET due = ?2 WHERE remote = ?1 AND state = 'open';

-- name: waiting
SELECT count(*) FROM remote_job WHERE account = ?1 AND (state = 'pending' AND tries = 0 OR state = 'open' AND due <= ?2);

-- name: add-remote-event
INSERT INTO remote_event (id, at, doc) VALUES (?, ?, ?) ON CONFLICT DO NOTHING;

-- name: remote-events
SELECT doc FROM remote_event ORDER BY at, id LIMIT ?;

-- name: drop-remote-event
DELETE FROM remote_event WHERE id = ?;

-- name: remote-customer
SELECT remote FROM remote_customer WHERE account = ?;

-- name: put-remote-customer
INSERT INTO remote_customer (account, remote) VALUES (?, ?) ON CONFLICT DO NOTHING;
