-- name: reader
SELECT created_ms, watermark, digest, epoch, read_ms FROM reader WHERE region = ?
-- name: set-reader
INSERT INTO reader (region, created_ms, watermark, digest, epoch, read_ms) VALUES (?, ?, ?, ?, ?, ?)
ON CONFLICT (region) DO UPDATE SET created_ms = excluded.created_ms, watermark = excluded.watermark, digest = excluded.digest,
  epoch = excluded.epoch, read_ms = excluded.read_ms
-- name: spans
SELECT lo, hi FROM span WHERE source = ? AND series = ? AND lo <= ? AND hi >= ? ORDER BY lo
-- name: drop-spans
DELETE FROM span WHERE source = ? AND series = ? AND lo >= ? AND lo <= ?
-- name: add-span
INSERT INTO span (source, series, lo, hi) VALUES (?, ?, ?, ?)
-- name: see
INSERT INTO seen (source, id, at_ms) VALUES (?, ?, ?) ON CONFLICT DO NOTHING
-- name: forget
DELETE FROM seen WHERE at_ms < ?
-- name: add
INSERT INTO total (tenant, month, meter, region, quantity, events) VALUES (?, ?, ?, ?, ?, ?)
ON CONFLICT (tenant, month, meter, region) DO UPDATE SET quantity = quantity + excluded.quantity, events = events + excluded.events
-- name: gauge
SELECT value, at_ms FROM gauge WHERE tenant = ? AND meter = ? AND region = ?
-- name: set-gauge
INSERT INTO gauge (tenant, meter, region, value, at_ms) VALUES (?, ?, ?, ?, ?)
ON CONFLICT (tenant, meter, region) DO UPDATE SET value = excluded.value, at_ms = excluded.at_ms
-- name: gauge-month
SELECT hours, rest FROM gauge_month WHERE tenant = ? AND month = ? AND meter = ? AND region = ?
-- name: set-gauge-month
INSERT INTO gauge_month (tenant, month, meter, region, hours, rest, last) VALUES (?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (tenant, month, meter, region) DO UPDATE SET hours = excluded.hours, rest = excluded.rest, last = excluded.last
-- name: count-aside
SELECT count(*) FROM aside WHERE region = ?
-- name: set-aside
INSERT INTO aside (region, epoch, seq, why, event, at_ms) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING
-- name: incident
INSERT INTO incident (region, at_ms, what) VALUES (?, ?, ?)

-- name: parts
SELECT meter, region, max(quantity, 0) FROM total WHERE tenant = ? AND month = ? ORDER BY meter, region
-- name: gauges
SELECT g.meter, g.region, g.value, g.at_ms, coalesce(m.hours, 0), coalesce(m.rest, 0), m.last
FROM gauge g LEFT JOIN gauge_month m ON m.tenant = g.tenant AND m.meter = g.meter AND m.region = g.region AND m.month = ?
WHERE g.tenant = ? ORDER BY g.meter, g.region
-- name: health
SELECT r.region, r.watermark, r.epoch, r.read_ms, (SELECT count(*) FROM aside a WHERE a.region = r.region) FROM reader r ORDER BY r.region
-- name: totals
SELECT meter, sum(max(quantity, 0)) FROM total WHERE month = ? GROUP BY meter UNION ALL SELECT meter, sum(value) FROM gauge GROUP BY meter ORDER BY meter
