INSERT INTO directory (key, revision, value) VALUES (?, ?, ?)
ON CONFLICT DO UPDATE SET revision = excluded.revision, value = excluded.value
