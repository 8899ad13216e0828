-- name: add-tenant
INSERT INTO tenant (id, name, home, regions, limits, state, created_ms) VALUES (?, ?, ?, ?, ?, ?, ?)
-- name: get-tenant
SELECT name, home, regions, limits, state, created_ms FROM tenant WHERE id = ?
-- name: rename-tenant
UPDATE tenant SET name = ? WHERE id = ?
-- name: set-state
UPDATE tenant SET state = ? WHERE id = ?
-- name: limits
SELECT limits FROM tenant WHERE id = ?
-- name: set-limits
UPDATE tenant SET limits = ? WHERE id = ?
-- name: count-tenants
SELECT count(*) FROM member WHERE person = ? AND active
-- name: tenants-of
SELECT tenant FROM member WHERE person = ? ORDER BY tenant

-- name: members
SELECT m.person, p.name, m.role, m.color, m.active, m.changed_ms FROM member m JOIN person p ON p.id = m.person WHERE m.tenant = ? ORDER BY m.person
-- name: role
SELECT m.role FROM member m JOIN tenant t ON t.id = m.tenant WHERE m.tenant = ? AND m.person = ? AND m.active AND t.state <> 'deleted'
-- name: get-member
SELECT role, active FROM member WHERE tenant = ? AND person = ?
-- name: put-member
INSERT INTO member (tenant, person, role, color, active, changed_ms) VALUES (?, ?, ?, ?, ?, ?)
ON CONFLICT (tenant, person) DO UPDATE SET role = excluded.role, active = excluded.active,
  changed_ms = max(excluded.changed_ms, member.changed_ms + 1)
-- name: touch-member
UPDATE member SET changed_ms = max(?, changed_ms + 1) WHERE tenant = ? AND person = ?
-- name: count-members
SELECT count(*) FROM member WHERE tenant = ?
-- name: count-owners
SELECT count(*) FROM member WHERE tenant = ? AND role = 'owner' AND active
-- name: person-name
SELECT name FROM person WHERE id = ?

-- name: count-seats
SELECT count(*) FROM member WHERE tenant = ? AND active AND role <> 'viewer'
-- name: last-seats
SELECT at_ms, seats FROM seats WHERE tenant = ? ORDER BY at_ms DESC LIMIT 1
-- name: put-seats
INSERT INTO seats (tenant, at_ms, seats) VALUES (?, ?, ?)
-- name: seats-in
SELECT at_ms, seats FROM seats WHERE tenant = ? AND at_ms < ?
  AND at_ms >= coalesce((SELECT max(at_ms) FROM seats WHERE tenant = ? AND at_ms <= ?), 0) ORDER BY at_ms

-- name: add-invitation
INSERT INTO invitation (id, hash, tenant, inviter, role, uses_left, created_ms, expires_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
-- name: count-invitations
SELECT count(*) FROM invitation WHERE tenant = ? AND revoked_ms IS NULL AND uses_left > 0 AND expires_ms > ?
-- name: list-invitations
SELECT i.id, i.role, p.name, i.uses_left, i.created_ms, i.expires_ms FROM invitation i JOIN person p ON p.id = i.inviter
WHERE i.tenant = ? AND i.revoked_ms IS NULL AND i.uses_left > 0 AND i.expires_ms > ? ORDER BY i.created_ms DESC, i.id
-- name: open-invitation
SELECT i.id, i.tenant, t.name, p.name, i.role FROM invitation i JOIN tenant t ON t.id = i.tenant JOIN person p ON p.id = i.inviter
WHERE i.hash = ? AND i.revoked_ms IS NULL AND i.uses_left > 0 AND i.expires_ms > ? AND t.state <> 'deleted'
-- name: use-invitation
UPDATE invitation SET uses_left = uses_left - 1 WHERE id = ?
-- name: revoke-invitation
UPDATE invitation SET revoked_ms = ? WHERE id = ? AND tenant = ? AND revoked_ms IS NULL AND uses_left > 0
-- name: revoke-of-inviter
UPDATE invitation SET revoked_ms = ? WHERE tenant = ? AND inviter = ? AND revoked_ms IS NULL

-- name: all-tenants
SELECT t.id, t.name, t.state, t.limits, (SELECT count(*) FROM member m WHERE m.tenant = t.id AND m.active AND m.role <> 'viewer') FROM tenant t
WHERE ?1 = '' OR t.id = ?1 ORDER BY t.created_ms, t.id
