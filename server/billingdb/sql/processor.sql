-- name: add-call
INSERT INTO processor_call (at, doc) VALUES (?, ?);

-- name: calls
SELECT at, doc FROM processor_call ORDER BY n;

-- name: add-difference
INSERT INTO difference (day, customer, what, doc) VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET doc = excluded.doc;

-- name: differences
SELECT day, doc FROM difference WHERE day >= ? ORDER BY day, customer, what;

-- name: add-run
INSERT INTO reconciliation (at, customers, differences) VALUES (?, ?, ?) ON CONFLICT (at) DO NOTHING;

-- name: runs
SELECT at, customers, differences FROM reconciliation ORDER BY at DESC LIMIT ?;
