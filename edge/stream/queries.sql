-- name: marks
SELECT region, shard, stream, seq FROM mark

-- name: setMark
INSERT INTO mark (region, shard, stream, seq) VALUES (?, ?, ?, ?)
ON CONFLICT DO UPDATE SET stream = excluded.stream, seq = excluded.seq

-- name: heads
SELECT origin, tenant, seq FROM head

-- name: setHead
INSERT INTO head (origin, tenant, seq) VALUES (?, ?, ?)
ON CONFLICT DO UPDATE SET seq = excluded.seq

-- name: dirty
SELECT tenant FROM dirty

-- name: addDirty
INSERT INTO dirty (tenant) VALUES (?) ON CONFLICT DO NOTHING

-- name: delDirty
DELETE FROM dirty WHERE tenant = ?

-- name: headOf
SELECT seq FROM head WHERE origin = ? AND tenant = ?

-- name: isDirty
SELECT EXISTS (SELECT 1 FROM dirty WHERE tenant = ?)

-- name: setStopped
INSERT INTO stopped (one) VALUES (1) ON CONFLICT DO NOTHING

-- name: isStopped
SELECT EXISTS (SELECT 1 FROM stopped)

-- name: takeStopped
DELETE FROM stopped
