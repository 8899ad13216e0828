-- name: origins
SELECT id, name, head, floor FROM origin ORDER BY name

-- name: addOrigin
INSERT INTO origin (name, head, floor) VALUES (?, ?, ?) RETURNING id

-- name: setHead
UPDATE origin SET head = ? WHERE id = ?

-- name: setFloor
UPDATE origin SET floor = ? WHERE id = ?

-- name: addLog
INSERT INTO log (origin, seq, replica, num, at_ms, tx) VALUES (?, ?, ?, ?, ?, ?)

-- name: readLog
SELECT seq, tx FROM log WHERE origin = ? AND seq > ? ORDER BY seq

-- name: made
SELECT seq FROM log WHERE origin = ? AND seq > ? AND seq <= ? AND num = 0 ORDER BY seq

-- name: trimLog
DELETE FROM log WHERE origin = ? AND seq <= ?

-- name: oldLog
SELECT l.origin, l.seq, l.tx FROM log l JOIN replica r ON r.replica = l.replica
WHERE l.origin = ? AND l.seq <= ? AND l.num > r.settled

-- name: logged
SELECT origin, seq, tx FROM log WHERE replica = ?1 AND num = ?2 AND num > 0
ORDER BY origin = ?3 DESC, at_ms, origin LIMIT 1

-- name: latest
SELECT tx FROM log WHERE replica = ? AND num > 0 ORDER BY num DESC LIMIT 1

-- name: replica
SELECT member, settled FROM replica WHERE replica = ?

-- name: addReplica
INSERT INTO replica (replica, member, settled) VALUES (?, ?, ?)

-- name: setSettled
UPDATE replica SET settled = ? WHERE replica = ?

-- name: fate
SELECT sum, fate FROM fate WHERE replica = ? AND num = ?

-- name: addFate
INSERT INTO fate (replica, num, sum, fate) VALUES (?, ?, ?, ?)
ON CONFLICT DO UPDATE SET sum = excluded.sum, fate = excluded.fate

-- name: pruneFates
DELETE FROM fate WHERE replica = ? AND num <= ?

-- name: setApplied
INSERT INTO applied (region, origin, seq) VALUES (?, ?, ?)
ON CONFLICT DO UPDATE SET seq = excluded.seq WHERE excluded.seq > seq

-- name: applied
SELECT region, origin, seq FROM applied
