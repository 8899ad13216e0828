-- name: put
INSERT INTO test_clock (tenant, started, at) VALUES (?, ?, ?) ON CONFLICT (tenant) DO UPDATE SET at = excluded.at;

-- name: drop
DELETE FROM test_clock WHERE tenant = ?;

-- name: all
SELECT tenant, started, at, told FROM test_clock ORDER BY started, tenant;
