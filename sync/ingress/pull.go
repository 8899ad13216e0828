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

// Trim takes entries up to the given sequences out of the log. What replicas may still ask about keeps its fate.
func (g *Ingress) Trim(ctx context.Context, upto change.Vector) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	err := g.write(ctx, func(tx *sql.Tx) error {
		for _, name := range upto.Origins() {
			o := g.origins[name]
			seq := upto[name]
			if o == nil || seq <= o.floor {
				continue
			}
			seq = min(seq, o.head)
			if err := g.keepFates(ctx, tx, name, o.id, seq); err != nil {
				return err
			}
			if _, err := tx.ExecContext(ctx, q("trimLog"), o.id, seq); err != nil {
				return err
			}
			if _, err := tx.ExecContext(ctx, q("setFloor"), seq, o.id); err != nil {
				return err
			}
			o.floor = seq
		}
		return nil
	})
	return sqlite.Wrap("ingress.Trim", err)
}

// keepFates writes down what the log will no longer tell about replicas that are known here.
func (g *Ingress) keepFates(ctx context.Context, tx *sql.Tx, name string, origin int64, upto uint64) error {
	rows, err := tx.QueryContext(ctx, q("oldLog"), origin, upto)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var n int64
		var seq uint64
		var raw []byte
		if err := rows.Scan(&n, &seq, &raw); err != nil {
			return err
		}
		t, err := change.Decode(raw)
		if err != nil {
			return err
		}
		f := wire.Fate{Num: t.Num, Accepted: true, Origin: name, Seq: seq, Stamp: t.Stamp}
		was, known, err := g.kept(ctx, tx, t)
		if err != nil && fault.KindOf(err) != fault.Conflict {
			return err
		}
		if known && was.Accepted && name != g.cfg.Region {
			continue // what this region gave out itself stands
		}
		if _, err := tx.ExecContext(ctx, q("addFate"), int64(t.Replica()), t.Num, sum(t), wire.EncodeFate(f)); err != nil {
			return err
		}
	}
	return rows.Err()
}
