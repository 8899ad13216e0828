-- name: all
SELECT tenant, replica, min(num), max(num) FROM refused GROUP BY tenant, replica

-- name: of
SELECT replica, num, sum, fate FROM refused WHERE tenant = ?

-- name: add
INSERT INTO refused (tenant, replica, num, sum, fate) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING

-- name: settle
DELETE FROM refused WHERE tenant = ? AND replica = ? AND num <= ?
