-- name: vat-checks
SELECT account, number, due, tries FROM vat_check;

-- name: put-vat-check
INSERT INTO vat_check (account, number, due, tries) VALUES (?, ?, ?, ?)
ON CONFLICT (account) DO UPDATE SET number = excluded.number, due = excluded.due, tries = excluded.tries;
