package replica_test

import (
	"bytes"
	"context"
	"testing"

	"holdfast/sync/change"
	"holdfast/sync/fault"
	"holdfast/sync/ingress"
	"holdfast/sync/replica"
	"holdfast/sync/work"
)

// shelf is a mirror in memory.
type shelf struct{ txs map[uint64][]byte }

func (s *shelf) Put(_ context.Context, num uint64, tx []byte) error {
	s.txs[num] = bytes.Clone(tx)
	return nil
}

func (s *shelf) Delete(_ context.Context, nums ...uint64) error {
	for _, n := range nums {
		delete(s.txs, n)
	}
	return nil
}

func TestRestoreFromMirrorAndSalvage(t *testing.T) {
	for _, from := range []string{"mirror", "salvage"} {
		t.Run(from, func(t *testing.T) {
			e := newEdge(t, "eu")
			m := &shelf{txs: map[uint64][]byte{}}
			d := newDevice(t, ana, 1)
			d.mirror = m
			d.reopen()
			d.sync(e)
			d.garden()
			d.sync(e)
			d.do(work.RenameTask(fence, "pushed, answer lost"))
			req, err := d.PushRequest(t.Context())
			must(t, err)
			e.Push(t.Context(), ingress.Actor{ID: ana, Role: work.Owner}, req)
			d.do(work.SetStatus(fence, work.Doing))
			must(t, d.Close())
			if len(m.txs) != 2 {
				t.Fatalf("%d changes in the mirror", len(m.txs))
			}
			var saved replica.Saved
			if from == "salvage" {
				var lost bool
				if saved, lost = replica.Salvage(t.Context(), d.db); lost {
					t.Fatal("something could not be read")
				}
			} else {
				for _, raw := range m.txs {
					tx, err := change.Decode(raw)
					must(t, err)
					saved.Pending = append(saved.Pending, tx)
				}
			}
			n := newDevice(t, ana, 7)
			count, err := n.Restore(t.Context(), saved)
			must(t, err)
			if count != 2 || n.ID() != req.Replica {
				t.Fatalf("%d restored, identity %d", count, n.ID())
			}
			if count, err = n.Restore(t.Context(), saved); count != 0 || err != nil {
				t.Fatalf("restored twice: %d, %v", count, err)
			}
			n.reopen()
			n.sync(e)
			if n.title() != "pushed, answer lost" || n.digest() != store0(t, e.db) || e.Heads()["eu"] != 3+2+2 {
				t.Fatalf("title %q, head %d", n.title(), e.Heads()["eu"])
			}
			// Into a replica that has changes of its own they go under new numbers.
			o := newDevice(t, ana, 8)
			o.sync(e)
			o.do(work.DueTask(fence, "2026-12-01"))
			if count, err = o.Restore(t.Context(), replica.Saved{Pending: saved.Pending, Refused: []replica.Refusal{{Tx: saved.Pending[0], Kind: fault.Denied, Detail: "No."}}}); count != 3 || err != nil {
				t.Fatalf("%d, %v", count, err)
			}
			if o.Counts().Attention != 1 {
				t.Fatalf("%+v", o.Counts())
			}
			o.sync(e)
			n.sync(e)
			if o.digest() != n.digest() || o.Counts().Waiting != 0 {
				t.Fatal("replicas differ")
			}
		})
	}
}

// A database into which what was saved had no time to come must not count, or the older one is thrown away for it.
func TestOnlyADatabaseInUseIsInstalled(t *testing.T) {
	e, d := newEdge(t, "eu"), newDevice(t, ana, 1)
	installed := func(d *device, want bool) {
		t.Helper()
		if got, err := replica.Installed(t.Context(), d.db); err != nil || got != want {
			t.Fatalf("installed: %v, %v", got, err)
		}
	}
	installed(d, false)
	d.sync(e)
	installed(d, true)
	d.garden()
	saved, lost := replica.Salvage(t.Context(), d.db)
	if lost {
		t.Fatal("something could not be read")
	}
	n := newDevice(t, ana, 7)
	_, err := n.Restore(t.Context(), saved)
	must(t, err)
	installed(n, true)
	r := newDevice(t, ana, 8)
	_, err = r.Restore(t.Context(), replica.Saved{Refused: []replica.Refusal{{Tx: saved.Pending[0], Kind: fault.Denied, Detail: "No."}}})
	must(t, err)
	installed(r, true)
}
