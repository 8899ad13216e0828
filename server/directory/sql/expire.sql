UPDATE record SET value = NULL, until_ms = NULL, sent = 0 WHERE until_ms IS NOT NULL AND until_ms < ?
