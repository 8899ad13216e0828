-- name: put-account
INSERT INTO account (id, place, currency, status, plan, doc) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
ON CONFLICT (id) DO UPDATE SET status = excluded.status, plan = excluded.plan, doc = excluded.doc;

-- name: add-event
INSERT INTO sub_event (account, n, doc) VALUES (?, ?, ?);

-- name: add-notice
INSERT INTO notice (account, n, at, kind, doc) VALUES (?, ?, ?, ?, ?);

-- name: put-invoice
INSERT INTO invoice (account, id, place, number, state, issued, total, due, doc) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (account, id) DO UPDATE SET place = excluded.place, number = excluded.number, state = excluded.state, issued = excluded.issued, total = excluded.total,
  due = excluded.due, doc = excluded.doc;

-- name: drop-draft
DELETE FROM invoice WHERE account = ? AND id = ? AND state = 'draft';

-- name: add-note
INSERT INTO credit_note (account, n, number, issued, total, doc) VALUES (?, ?, ?, ?, ?, ?);

-- name: add-booking
INSERT INTO booking (account, key, at, effective, currency, doc) VALUES (?, ?, ?, ?, ?, ?);

-- name: add-usage
INSERT INTO usage_event (account, source, id, type, at, doc) VALUES (?, ?, ?, ?, ?, ?);

-- name: add-stray
INSERT INTO stray_wire (id, doc) VALUES (?, ?);

-- name: drop-stray
DELETE FROM stray_wire WHERE id = ?;

-- name: put-numbers
INSERT INTO numbers (one, doc) VALUES (1, ?) ON CONFLICT (one) DO UPDATE SET doc = excluded.doc;

-- name: accounts
SELECT id, doc FROM account ORDER BY place;

-- name: events
SELECT account, doc FROM sub_event ORDER BY account, n;

-- name: notices
SELECT account, doc FROM notice ORDER BY account, n;

-- name: invoices
SELECT account, doc FROM invoice ORDER BY account, place;

-- name: notes
SELECT account, doc FROM credit_note ORDER BY account, n;

-- name: bookings
SELECT account, doc FROM booking ORDER BY n;

-- name: usage
SELECT account, doc FROM usage_event;

-- name: strays
SELECT id, doc FROM stray_wire ORDER BY id;

-- name: numbers
SELECT '', doc FROM numbers;
