-- name: queue-mail
INSERT INTO delivery (lane, account, n, kind, state, due, at) VALUES ('', ?1, ?2, ?3, 'pending', ?4, ?4);

-- name: queue-webhooks
INSERT INTO delivery (lane, account, n, kind, state, due, at)
SELECT id, ?1, ?2, ?3, 'pending', ?4, ?4 FROM endpoint
WHERE owner IN (?1, '') AND state = 'active' AND (events = '[]' OR EXISTS (SELECT 1 FROM json_each(events) WHERE value = ?3)) ORDER BY id;

-- name: add-test-notice
INSERT INTO test_notice (tenant, clock, heard, kind, doc) VALUES (?, ?, ?, ?, ?) RETURNING seq;

-- name: told
UPDATE test_clock SET told = ?3 WHERE tenant = ?1 AND started = ?2;

-- name: queue-test-mail
INSERT INTO delivery (lane, account, n, kind, state, due, at, test) VALUES ('', ?1, ?2, ?3, 'pending', ?4, ?4, ?5);

-- name: queue-test-webhooks
INSERT INTO delivery (lane, account, n, kind, state, due, at, test)
SELECT id, ?1, ?2, ?3, 'pending', ?4, ?4, ?5 FROM endpoint
WHERE (owner = ?1 OR owner = '' AND json_extract(CAST(doc AS TEXT), '$.tests')) AND state = 'active'
  AND (events = '[]' OR EXISTS (SELECT 1 FROM json_each(events) WHERE value = ?3)) ORDER BY id;

-- name: test-notice
SELECT clock, doc FROM test_notice WHERE seq = ?;

-- name: lanes
SELECT DISTINCT lane FROM delivery WHERE state = 'pending' AND due <= ? ORDER BY lane;

-- name: next-mail
SELECT seq, lane, account, n, kind, state, tries, due, at, recipient, reason, test FROM delivery
WHERE lane = '' AND state = 'pending' AND due <= ?2 ORDER BY seq LIMIT 1;

-- name: next-webhook
SELECT seq, lane, account, n, kind, state, tries, due, at, recipient, reason, test FROM delivery
WHERE seq = (SELECT min(seq) FROM delivery WHERE lane = ?1 AND state = 'pending') AND due <= ?2;

-- name: notice
SELECT doc FROM notice WHERE account = ? AND n = ?;

-- name: compose
UPDATE delivery SET letter = ?2, recipient = ?3 WHERE seq = ?1;

-- name: letter
SELECT letter FROM delivery WHERE seq = ?;

-- name: add-attempt
INSERT INTO attempt (delivery, n, at, took, reason)
SELECT ?1, count(*) + 1, ?2, ?3, ?4 FROM attempt WHERE delivery = ?1;

-- name: settle
UPDATE delivery SET state = ?2, tries = ?3, due = ?4, reason = ?5, recipient = CASE ?6 WHEN '' THEN recipient ELSE ?6 END WHERE seq = ?1;

-- name: again
UPDATE delivery SET state = 'pending', tries = 0, due = ?2, reason = '', letter = NULL WHERE seq = ?1;

-- name: delivery
SELECT seq, lane, account, n, kind, state, tries, due, at, recipient, reason, test FROM delivery WHERE seq = ?;

-- name: deliveries
SELECT seq, lane, account, n, kind, state, tries, due, at, recipient, reason, test FROM delivery
WHERE lane = ?1 AND (?2 = '' OR account = ?2) AND (?3 = 0 OR seq < ?3) ORDER BY seq DESC LIMIT ?4;

-- name: attempts
SELECT at, took, reason FROM attempt WHERE delivery = ? ORDER BY n;

-- name: replay
INSERT INTO delivery (lane, account, n, kind, state, due, at)
SELECT ?1, account, n, kind, 'pending', ?4, ?4 FROM notice
WHERE (?2 = '' OR account = ?2) AND at >= ?3 AND (?5 = '[]' OR EXISTS (SELECT 1 FROM json_each(?5) WHERE value = kind))
ORDER BY at, account, n LIMIT ?6;

-- name: replay-tests
INSERT INTO delivery (lane, account, n, kind, state, due, at, test)
SELECT ?1, tenant, json_extract(CAST(doc AS TEXT), '$.id'), kind, 'pending', ?4, ?4, seq FROM test_notice
WHERE (?2 = '' OR tenant = ?2) AND heard >= ?3 AND (?5 = '[]' OR EXISTS (SELECT 1 FROM json_each(?5) WHERE value = kind))
ORDER BY seq LIMIT ?6;

-- name: forget-attempts
DELETE FROM attempt WHERE delivery IN (SELECT seq FROM delivery WHERE at < ? AND state <> 'pending');

-- name: forget-deliveries
DELETE FROM delivery WHERE at < ? AND state <> 'pending';

-- name: forget-test-notices
DELETE FROM test_notice WHERE heard < ? AND seq NOT IN (SELECT test FROM delivery);

-- name: put-endpoint
INSERT INTO endpoint (id, owner, state, events, doc) VALUES (?, ?, ?, ?, ?)
ON CONFLICT (id) DO UPDATE SET state = excluded.state, events = excluded.events, doc = excluded.doc;

-- name: endpoints
SELECT doc FROM endpoint WHERE owner = ? ORDER BY id;

-- name: endpoint
SELECT doc FROM endpoint WHERE id = ?;

-- name: drop-endpoint
DELETE FROM endpoint WHERE id = ?;

-- name: drop-lane-attempts
DELETE FROM attempt WHERE delivery IN (SELECT seq FROM delivery WHERE lane = ?);

-- name: drop-lane
DELETE FROM delivery WHERE lane = ?;
