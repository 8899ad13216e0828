-- name: get
SELECT name FROM person WHERE id = ?
-- name: add
INSERT INTO person (id, name, created_ms) VALUES (?, ?, ?)
-- name: rename
UPDATE person SET name = ? WHERE id = ?
-- name: credentials
SELECT credential FROM passkey WHERE person = ? ORDER BY created_ms, id
