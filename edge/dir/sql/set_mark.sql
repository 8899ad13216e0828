INSERT INTO directory_mark (one, bucket, revision, current_ms) VALUES (1, ?, ?, ?)
ON CONFLICT DO UPDATE SET bucket = excluded.bucket, revision = excluded.revision, current_ms = excluded.current_ms
