SELECT key, revision, value FROM directory
