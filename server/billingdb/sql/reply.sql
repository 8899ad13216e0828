-- name: put-reply
INSERT INTO reply (owner, key, print, status, type, body, at) VALUES (?, ?, ?, ?, ?, ?, ?);

-- name: reply
SELECT print, status, type, body FROM reply WHERE owner = ? AND key = ? AND at > ?;

-- name: forget-replies
DELETE FROM reply WHERE at <= ?;
