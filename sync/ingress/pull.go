package ingress

import (
	"context"
	"database/sql"

	"holdfast/sync/change"
	"holdfast/sync/fault"
	"holdfast/sync/sqlite"
	"holdfast/sync/wire"
)

// Pull gives what a replica at the request's cursor has not seen, within the wire's bounds. Snapshot is set instead of
// entries when the log no longer reaches back that far.
func (g *Ingress) Pull(ctx context.Context, req wire.PullRequest) (reply wire.PullReply) {
	g.mu.Lock()
	defer g.mu.Unlock()
	reply.Head, reply.Everywhere = g.heads(), g.everywhere()
	for name, o := range g.origins {
		if req.Cursor[name] < o.floor {
			reply.Snapshot = true
			return reply
		}
	}
	room, count := pullBytesMax, pullEntriesMax
	for _, name := range reply.Head.Origins() {
		after := req.Cursor[name]
		if after >= reply.Head[name] {
			continue
		}
		if room <= 0 || count <= 0 {
			reply.More = true
			break
		}
		es, size, more, err := g.read(ctx, name, after, room, count)
		if err != nil {
			return wire.PullReply{Err: sqlite.Wrap("ingress.Pull", err)}
		}
		reply.Entries = append(reply.Entries, es...)
		room, count = room-size, count-len(es)
		if more {
			reply.More = true
			break
		}
	}
	return reply
}

// Log gives entries of one origin after a sequence, in sequence, of about bytesMax bytes but at least one if there is one.
// An error of kind NotFound tells that the log no longer reaches back that far.
func (g *Ingress) Log(ctx context.Context, origin string, after uint64, bytesMax int) ([]change.Entry, error) {
	const op = "ingress.Log"
	g.mu.Lock()
	defer g.mu.Unlock()
	o := g.origins[origin]
	if o == nil || after >= o.head {
		return nil, nil
	}
	if after < o.floor {
		return nil, fault.Errorf(op, fault.NotFound, "the log begins after %d", o.floor)
	}
	es, _, _, err := g.read(ctx, origin, after, bytesMax, change.EntriesMax)
	return es, sqlite.Wrap(op, err)
}

// read takes entries from the log until room or count is used up; more tells whether some are left.
func (g *Ingress) read(ctx context.Context, name string, after uint64, room, count int) (es []change.Entry, size int, more bool, err error) {
	rows, err := g.cfg.DB.QueryContext(ctx, q("readLog"), g.origins[name].id, after)
	if err != nil {
		return nil, 0, false, err
	}
	defer rows.Close()
	var raw sql.RawBytes
	for rows.Next() {
		e := change.Entry{Origin: name}
		if err := rows.Scan(&e.Seq, &raw); err != nil {
			return nil, 0, false, err
		}
		size += len(raw) + change.EntryBytesExtra
		if len(es) > 0 && (size > room || len(es) >= count) {
			return es, size, true, nil
		}
		if e.Tx, err = change.Decode(raw); err != nil {
			return nil, 0, false, err
		}
		es = append(es, e)
	}
	return es, size, false, rows.Err()
}
