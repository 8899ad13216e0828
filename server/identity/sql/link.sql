-- name: add
INSERT INTO link_code (hash, person, session, expires_ms) VALUES (?, ?, ?, ?)
-- name: take
DELETE FROM link_code WHERE hash = ? RETURNING person, session, expires_ms
-- name: surplus
DELETE FROM link_code WHERE person = ? AND hash IN
  (SELECT hash FROM link_code WHERE person = ? ORDER BY expires_ms DESC LIMIT -1 OFFSET ?)
-- name: of-session
DELETE FROM link_code WHERE session = ?
-- name: expire
DELETE FROM link_code WHERE expires_ms <= ?
