-- name: self
SELECT replica, member, floor, offset_ms FROM self

-- name: newSelf
INSERT INTO self (replica, member, floor, offset_ms) VALUES (?, ?, ?, ?)

-- name: setSelf
UPDATE self SET replica = ?, floor = ?, offset_ms = ?

-- name: cursor
SELECT origin, seq FROM cursor

-- name: setCursor
INSERT INTO cursor (origin, seq) VALUES (?, ?) ON CONFLICT DO UPDATE SET seq = excluded.seq

-- name: outbox
SELECT num, tx FROM outbox ORDER BY num

-- name: addOutbox
INSERT INTO outbox (num, tx) VALUES (?, ?) ON CONFLICT DO UPDATE SET tx = excluded.tx

-- name: dropOutbox
DELETE FROM outbox WHERE num = ?

-- name: shadows
SELECT tbl, id, cells FROM shadow

-- name: setShadow
INSERT INTO shadow (tbl, id, cells) VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET cells = excluded.cells

-- name: dropShadow
DELETE FROM shadow WHERE tbl = ? AND id = ?

-- name: sent
SELECT num, origin, seq, tx FROM sent ORDER BY num

-- name: addSent
INSERT INTO sent (num, origin, seq, tx) VALUES (?, ?, ?, ?)

-- name: dropSent
DELETE FROM sent WHERE num = ?

-- name: refused
SELECT num, kind, detail, tx FROM refused ORDER BY num

-- name: addRefused
INSERT INTO refused (num, kind, detail, tx) VALUES (?, ?, ?, ?)

-- name: dropRefused
DELETE FROM refused WHERE num = ?

-- name: lastNum
SELECT coalesce(max(num), 0) FROM done

-- name: doneKey
SELECT num FROM done WHERE key = ?

-- name: addDone
INSERT INTO done (num, key) VALUES (?, ?)

-- name: pruneDone
DELETE FROM done WHERE num < ?

-- name: role
SELECT role FROM member WHERE id = ? AND born = 1 AND active = 1

-- name: taskOfLabel
SELECT task FROM task_label WHERE id = ? AND task IS NOT NULL

-- name: workspace
SELECT name FROM workspace WHERE id = ? AND born = 1

-- name: members
SELECT id, name, role, color, active FROM member WHERE born = 1 ORDER BY name, id

-- name: projects
SELECT p.id, p.name, p.color, p.rank,
  (SELECT coalesce(sum(n), 0) FROM tally WHERE project = p.id AND status NOT IN ('done', 'canceled', 'trash'))
FROM project p WHERE born = 1 AND deleted IS NULL ORDER BY rank, id

-- name: trashProjects
SELECT p.id, p.name, p.color, p.rank,
  (SELECT coalesce(sum(n), 0) FROM tally WHERE project = p.id AND status NOT IN ('done', 'canceled', 'trash'))
FROM project p WHERE born = 1 AND deleted IS NOT NULL ORDER BY deleted DESC, id

-- name: labels
SELECT id, name, color FROM label WHERE born = 1 AND deleted IS NULL ORDER BY name, id

-- name: trashCount
SELECT (SELECT coalesce(sum(n), 0) FROM tally WHERE status = 'trash'),
  (SELECT count(*) FROM project WHERE born = 1 AND deleted IS NOT NULL)

-- name: tally
SELECT status, n FROM tally WHERE project = ?

-- name: tallyAll
SELECT status, sum(n) FROM tally WHERE project IN (SELECT id FROM project WHERE born = 1 AND deleted IS NULL) GROUP BY status

-- name: taskCols
SELECT t.id, t.project, t.title, t.status, t.priority, coalesce(t.assignee, ''), coalesce(t.due, ''), t.rank, coalesce(t.deleted, 0),
  (SELECT count(*) FROM comment c WHERE c.task = t.id AND c.born = 1 AND c.deleted IS NULL),
  (SELECT group_concat(x.label, ' ') FROM task_label x JOIN label l ON l.id = x.label AND l.born = 1 AND l.deleted IS NULL
   WHERE x.task = t.id AND x.born = 1 AND x.present & 1 = 1)
FROM task t

-- name: taskID
SELECT t.id FROM task t

-- name: taskIDs
SELECT t.id, count(*) OVER () FROM task t

-- name: taskCount
SELECT count(*) FROM task t

-- name: statusCount
SELECT t.status, count(*) FROM task t

-- name: taskMore
SELECT coalesce(description, ''), author, clock FROM task WHERE id = ? AND born = 1

-- name: comments
SELECT id, author, body, clock FROM comment WHERE task = ? AND born = 1 AND deleted IS NULL ORDER BY id

-- name: tasksOf
SELECT task FROM comment WHERE id IN (SELECT value FROM json_each(?1))
UNION SELECT task FROM task_label WHERE id IN (SELECT value FROM json_each(?1))

-- name: places
SELECT id, project, CASE WHEN deleted IS NULL THEN status ELSE 'trash' END, rank FROM task
WHERE born = 1 AND id IN (SELECT value FROM json_each(?))

-- name: titleOf
SELECT title FROM task WHERE id = ? AND title IS NOT NULL

-- name: nameOf
SELECT name FROM project WHERE id = ? AND name IS NOT NULL

-- name: taskOfComment
SELECT task FROM comment WHERE id = ? AND task IS NOT NULL

-- name: allDone
SELECT num, key FROM done ORDER BY num

-- name: inUse
SELECT EXISTS (SELECT 1 FROM self) AND (EXISTS (SELECT 1 FROM cursor) OR EXISTS (SELECT 1 FROM done) OR EXISTS (SELECT 1 FROM outbox) OR EXISTS (SELECT 1 FROM refused))
