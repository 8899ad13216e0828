UPDATE record SET sent = ? WHERE key = ? AND version = ?
