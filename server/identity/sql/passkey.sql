-- name: list
SELECT id, name, credential, created_ms, used_ms FROM passkey WHERE person = ? ORDER BY created_ms, id
-- name: count
SELECT count(*) FROM passkey WHERE person = ?
-- name: named
SELECT EXISTS (SELECT 1 FROM passkey WHERE person = ? AND name = ?)
-- name: add
INSERT INTO passkey (id, person, name, credential, created_ms) VALUES (?, ?, ?, ?, ?)
-- name: used
UPDATE passkey SET credential = ?, used_ms = ? WHERE id = ? AND person = ?
-- name: rename
UPDATE passkey SET name = ? WHERE id = ? AND person = ?
-- name: remove
DELETE FROM passkey WHERE id = ? AND person = ?
