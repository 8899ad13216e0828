-- name: counted
SELECT seq FROM counted WHERE tenant = ?

-- name: setCounted
INSERT INTO counted (tenant, seq) VALUES (?, ?) ON CONFLICT DO UPDATE SET seq = excluded.seq

-- name: add
INSERT INTO usage (meter, tenant, at_ms, first, last, quantity) VALUES (?, ?, ?, ?, ?, ?)

-- name: addOnce
INSERT INTO usage (meter, tenant, at_ms, first, last, quantity)
SELECT ?1, ?2, ?3, ?4, ?4, 1 WHERE NOT EXISTS (SELECT 1 FROM usage WHERE meter = ?1 AND tenant = ?2 AND first = ?4)

-- name: after
SELECT n, meter, tenant, at_ms, first, last, quantity FROM usage WHERE n > ? ORDER BY n LIMIT ?

-- name: backlog
SELECT count(*) FROM usage WHERE n > ?

-- name: tidy
DELETE FROM usage WHERE n <= ? AND at_ms < ?

-- name: counter
SELECT last FROM counter WHERE name = ?

-- name: setCounter
INSERT INTO counter (name, last) VALUES (?, ?) ON CONFLICT DO UPDATE SET last = excluded.last
