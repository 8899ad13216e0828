SELECT value FROM directory WHERE key = ?
