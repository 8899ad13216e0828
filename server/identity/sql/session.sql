-- name: add
INSERT INTO session (id, person, via, agent, ip, region, created_ms, seen_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
-- name: get
SELECT s.person, p.name, s.created_ms, s.seen_ms, s.ended_ms FROM session s JOIN person p ON p.id = s.person WHERE s.id = ?
-- name: seen
UPDATE session SET seen_ms = ?, ip = ?, region = ? WHERE id = ?
-- name: list
SELECT id, agent, ip, region, created_ms, seen_ms FROM session
WHERE person = ? AND ended_ms IS NULL AND seen_ms >= ? AND created_ms >= ? ORDER BY seen_ms DESC, id
-- name: surplus
SELECT id FROM session WHERE person = ? AND ended_ms IS NULL ORDER BY seen_ms DESC, id LIMIT -1 OFFSET ?
-- name: others
SELECT id FROM session WHERE person = ? AND id <> ? AND ended_ms IS NULL
-- name: end
UPDATE session SET ended_ms = ? WHERE id = ? AND person = ? AND ended_ms IS NULL
-- name: forget
DELETE FROM session WHERE ended_ms < ? OR seen_ms < ?
