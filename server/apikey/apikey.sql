-- name: count
SELECT count(*) FROM api_key WHERE tenant = ? AND revoked_ms IS NULL

-- name: add
INSERT INTO api_key (id, hash, tenant, name, scopes, creator, created_ms, expires_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?)

-- name: list
SELECT k.id, k.name, k.scopes, k.created_ms, coalesce(k.expires_ms, 0), coalesce(k.used_ms, 0), p.name
FROM api_key k JOIN person p ON p.id = k.creator WHERE k.tenant = ? AND k.revoked_ms IS NULL ORDER BY k.created_ms DESC, k.id

-- name: revoke
UPDATE api_key SET revoked_ms = ? WHERE tenant = ? AND id = ? AND revoked_ms IS NULL

-- name: find
SELECT k.hash, k.tenant, k.name, k.scopes, coalesce(k.expires_ms, 0), coalesce(k.used_ms, 0), k.revoked_ms IS NOT NULL OR t.state = 'deleted'
FROM api_key k JOIN tenant t ON t.id = k.tenant WHERE k.id = ?

-- name: used
UPDATE api_key SET used_ms = ? WHERE id = ?
