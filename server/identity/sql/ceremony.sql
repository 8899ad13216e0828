-- name: add
INSERT INTO ceremony (challenge, kind, person, name, data, expires_ms) VALUES (?, ?, ?, ?, ?, ?)
-- name: take
DELETE FROM ceremony WHERE challenge = ? RETURNING kind, person, name, data, expires_ms
-- name: count
SELECT count(*) FROM ceremony
-- name: expire
DELETE FROM ceremony WHERE expires_ms <= ?
