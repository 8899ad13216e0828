-- name: list
SELECT id, name, active, hash, length(module), created_ms, changed_ms FROM rule WHERE tenant = ? ORDER BY id

-- name: get
SELECT id, name, active, hash, length(module), created_ms, changed_ms FROM rule WHERE tenant = ? AND id = ?

-- name: module
SELECT module FROM rule WHERE tenant = ? AND id = ?

-- name: count
SELECT count(*) FROM rule WHERE tenant = ?

-- name: named
SELECT count(*) FROM rule WHERE tenant = ? AND name = ? AND id <> ?

-- name: put
INSERT INTO rule (tenant, id, name, active, hash, module, created_ms, changed_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT DO UPDATE SET name = excluded.name, active = excluded.active, hash = excluded.hash, module = excluded.module, changed_ms = excluded.changed_ms

-- name: drop
DELETE FROM rule WHERE tenant = ? AND id = ?
