-- name: origins
SELECT id, name, head, floor, bytes FROM origin ORDER BY name

-- name: addOrigin
INSERT INTO origin (name, head, floor) VALUES (?, ?, ?) RETURNING id

-- name: setHead
UPDATE origin SET head = ?, bytes = ? WHERE id = ?

-- name: setFloor
UPDATE origin SET head = ?, floor = ?, bytes = ? WHERE id = ?

-- name: addLog
INSERT INTO log (origin, seq, replica, num, at_ms, tx) VALUES (?, ?, ?, ?, ?, ?)

-- name: readLog
SELECT seq, tx FROM log WHERE origin = ? AND seq > ? ORDER BY seq

-- name: made
SELECT seq FROM log WHERE origin = ? AND seq > ? AND seq <= ? AND num = 0 ORDER BY seq

-- name: trimmed
SELECT coalesce(sum(length(tx)), 0) FROM log WHERE origin = ? AND seq <= ?

-- name: trimLog
DELETE FROM log WHERE origin = ? AND seq <= ?

-- name: oldLog
SELECT seq, at_ms, length(tx) FROM log WHERE origin = ? AND seq > ? ORDER BY seq LIMIT ?

-- name: unsettled
SELECT l.seq, l.tx FROM log l LEFT JOIN replica r ON r.replica = l.replica
WHERE l.origin = ?1 AND l.seq <= ?2 AND l.num > 0
  AND l.num > coalesce(r.settled, (SELECT max(m.num) FROM log m WHERE m.replica = l.replica AND m.num > 0) - ?3)

-- name: logged
SELECT origin, seq, tx FROM log WHERE replica = ?1 AND num = ?2 AND num > 0
ORDER BY origin = ?3 DESC, at_ms, origin LIMIT 1

-- name: latest
SELECT (SELECT stamp FROM latest WHERE replica = ?1),
  (SELECT tx FROM log WHERE replica = ?1 AND num > 0 ORDER BY num DESC LIMIT 1),
  (SELECT coalesce(max(num), 0) FROM fate WHERE replica = ?1)

-- name: newest
SELECT replica, max(num), tx FROM log WHERE origin = ? AND seq <= ? AND num > 0 GROUP BY replica

-- name: setLatest
INSERT INTO latest (replica, stamp) VALUES (?, ?)
ON CONFLICT DO UPDATE SET stamp = excluded.stamp WHERE excluded.stamp > stamp

-- name: replica
SELECT member, settled, EXISTS (SELECT 1 FROM fate WHERE replica = ?1 AND num <= ?2) FROM replica WHERE replica = ?1

-- name: settled
SELECT EXISTS (SELECT 1 FROM replica WHERE replica = ? AND settled >= ?)

-- name: addReplica
INSERT INTO replica (replica, member, settled) VALUES (?, ?, ?)

-- name: setSettled
UPDATE replica SET settled = ? WHERE replica = ?

-- name: fate
SELECT sum, fate FROM fate WHERE replica = ? AND num = ?

-- name: addFate
INSERT INTO fate (replica, num, sum, fate) VALUES (?, ?, ?, ?)
ON CONFLICT DO UPDATE SET sum = excluded.sum, fate = excluded.fate

-- name: addFateOnce
INSERT INTO fate (replica, num, sum, fate) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING

-- name: pruneStrangers
DELETE FROM fate WHERE NOT EXISTS (SELECT 1 FROM replica r WHERE r.replica = fate.replica)
  AND num <= (SELECT max(f.num) FROM fate f WHERE f.replica = fate.replica) - ?

-- name: pruneFates
DELETE FROM fate WHERE replica = ? AND num <= ?

-- name: setApplied
INSERT INTO applied (region, origin, seq) VALUES (?, ?, ?)
ON CONFLICT DO UPDATE SET seq = excluded.seq WHERE excluded.seq > seq

-- name: applied
SELECT region, origin, seq FROM applied

-- name: headSaved
SELECT id, head FROM origin WHERE name = ?

-- name: exportFloors
CREATE TABLE snap.floor AS SELECT name AS origin, floor AS seq FROM main.origin WHERE floor > 0

-- name: exportFates
CREATE TABLE snap.fate AS SELECT replica, num, sum, fate FROM main.fate

-- name: exportLatest
CREATE TABLE snap.latest AS SELECT replica, stamp FROM main.latest

-- name: latestAll
SELECT replica, stamp FROM latest

-- name: floors
SELECT origin, seq FROM floor ORDER BY origin

-- name: fates
SELECT replica, num, sum, fate FROM fate

-- name: alsoMine
SELECT mine.seq, mine.at_ms, mine.tx, NULL, other.tx, NULL FROM log other
JOIN log mine ON mine.replica = other.replica AND mine.num = other.num AND mine.num > 0 AND mine.origin = ?1
WHERE other.origin = ?2 AND other.seq BETWEEN ?3 AND ?4 AND other.num > 0
UNION ALL
SELECT mine.seq, mine.at_ms, NULL, mine.sum, other.tx, NULL FROM log other
JOIN trace mine ON mine.replica = other.replica AND mine.num = other.num AND mine.origin = ?1
WHERE other.origin = ?2 AND other.seq BETWEEN ?3 AND ?4 AND other.num > 0

-- name: alsoTheirs
SELECT mine.seq, mine.at_ms, mine.tx, NULL, other.tx, NULL FROM log mine
JOIN log other ON other.replica = mine.replica AND other.num = mine.num AND other.num > 0
  AND other.origin IN (SELECT o.id FROM origin o, origin own WHERE own.id = ?1 AND o.name < own.name)
WHERE mine.origin = ?2 AND mine.seq BETWEEN ?3 AND ?4 AND mine.num > 0
UNION ALL
SELECT mine.seq, mine.at_ms, mine.tx, NULL, NULL, other.sum FROM log mine
JOIN trace other ON other.replica = mine.replica AND other.num = mine.num
  AND other.origin IN (SELECT o.id FROM origin o, origin own WHERE own.id = ?1 AND o.name < own.name)
WHERE mine.origin = ?2 AND mine.seq BETWEEN ?3 AND ?4 AND mine.num > 0

-- name: alsoTraced
WITH smaller AS (SELECT o.id FROM origin o, origin own WHERE own.id = ?1 AND o.name < own.name)
SELECT mine.seq, mine.at_ms, mine.tx, NULL, NULL, other.sum FROM trace other
JOIN log mine ON mine.replica = other.replica AND mine.num = other.num AND mine.num > 0 AND mine.origin = ?1
WHERE other.origin IN smaller
UNION ALL
SELECT mine.seq, mine.at_ms, NULL, mine.sum, NULL, other.sum FROM trace other
JOIN trace mine ON mine.replica = other.replica AND mine.num = other.num AND mine.origin = ?1
WHERE other.origin IN smaller
UNION ALL
SELECT mine.seq, mine.at_ms, NULL, mine.sum, other.tx, NULL FROM trace mine
JOIN log other ON other.replica = mine.replica AND other.num = mine.num AND other.num > 0 AND other.origin IN smaller
WHERE mine.origin = ?1

-- name: untraced
SELECT seq, replica, num, at_ms, tx FROM log WHERE origin = ? AND seq > ? AND seq <= ? AND num > 0

-- name: addTrace
INSERT INTO trace (origin, seq, replica, num, sum, at_ms) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING

-- name: hasTraces
SELECT EXISTS (SELECT 1 FROM trace)

-- name: dropTraces
DELETE FROM trace WHERE origin = ? AND seq <= ?

-- name: exportTraces
CREATE TABLE snap.trace AS SELECT o.name AS origin, t.seq, t.replica, t.num, t.sum, t.at_ms FROM main.trace t JOIN main.origin o ON o.id = t.origin

-- name: traces
SELECT origin, seq, replica, num, sum, at_ms FROM trace

-- name: hasTable
SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?)

-- name: addTwice
INSERT INTO twice (seq, at_ms) VALUES (?, ?) ON CONFLICT DO NOTHING

-- name: twice
SELECT seq, at_ms FROM twice ORDER BY seq

-- name: dropTwice
DELETE FROM twice WHERE seq = ?
