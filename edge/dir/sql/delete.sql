DELETE FROM directory WHERE key = ?
