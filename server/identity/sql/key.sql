-- name: list
SELECT kid, private, public, signs_ms, retired_ms FROM signing_key ORDER BY signs_ms, kid
-- name: add
INSERT INTO signing_key (kid, private, public, signs_ms) VALUES (?, ?, ?, ?)
-- name: retire
UPDATE signing_key SET private = NULL, retired_ms = ? WHERE kid = ?
-- name: forget
DELETE FROM signing_key WHERE retired_ms < ?
