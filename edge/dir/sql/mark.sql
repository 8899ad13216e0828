SELECT bucket, revision, current_ms FROM directory_mark WHERE one = 1
