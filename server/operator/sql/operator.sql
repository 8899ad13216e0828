-- name: is
SELECT 1 FROM operator WHERE person = ?
-- name: list
SELECT o.person, p.name, o.since_ms FROM operator o JOIN person p ON p.id = o.person ORDER BY o.since_ms, o.person
-- name: count
SELECT count(*) FROM operator
-- name: add
INSERT INTO operator (person, since_ms) VALUES (?, ?) ON CONFLICT DO NOTHING
-- name: remove
DELETE FROM operator WHERE person = ?
-- name: expire-links
DELETE FROM operator_link WHERE expires_ms <= ?
-- name: add-link
INSERT INTO operator_link (hash, expires_ms) VALUES (?, ?)
-- name: look-link
SELECT 1 FROM operator_link WHERE hash = ? AND expires_ms > ?
-- name: take-link
DELETE FROM operator_link WHERE hash = ? AND expires_ms > ?
-- name: add-audit
INSERT INTO audit (at_ms, person, action, subject, detail) VALUES (?, ?, ?, ?, ?)
-- name: audit
SELECT a.n, a.at_ms, a.person, coalesce(p.name, ''), a.action, a.subject, a.detail FROM audit a LEFT JOIN person p ON p.id = a.person
WHERE (?1 = 0 OR a.n < ?1) AND (?2 = '' OR a.subject = ?2) ORDER BY a.n DESC LIMIT ?3
