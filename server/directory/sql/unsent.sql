SELECT key, value, version FROM record WHERE sent < version ORDER BY version LIMIT ?
