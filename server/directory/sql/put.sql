INSERT INTO record (key, value, until_ms, version, sent)
VALUES (?, ?, ?, (SELECT coalesce(max(version), 0) + 1 FROM record), 0)
ON CONFLICT (key) DO UPDATE SET value = excluded.value, until_ms = excluded.until_ms, version = excluded.version, sent = 0
