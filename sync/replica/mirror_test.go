package replica_test

import (
	"context"
	"math/rand/v2"
	"sync/atomic"
	"testing"

	"holdfast/sync/fault"
	"holdfast/sync/ingress"
	"holdfast/sync/port"
	"holdfast/sync/replica"
	"holdfast/sync/work"
)

func TestRestoreFromMirrorAndSalvage(t *testing.T) {
	for _, from := range []string{"mirror", "salvage"} {
		t.Run(from, func(t *testing.T) {
			e := newEdge(t, "eu")
			m := replica.NewShelf()
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
			saved, err := m.Saved()
			if err != nil || len(saved.Pending) != 2 {
				t.Fatalf("%d changes in the mirror, %v", len(saved.Pending), err)
			}
			if from == "salvage" {
				var lost bool
				if saved, lost = replica.Salvage(t.Context(), d.db); lost {
					t.Fatal("something could not be read")
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

// A database that opens well and has lost the end of what was written to it, as when its log is gone: what only the mirror has comes
// back, and reaches the region also where numbers were used before that the database does not remember. What was settled stays settled.
func TestDatabaseThatForgot(t *testing.T) {
	for name, pushed := range map[string]bool{"nothing-pushed": false, "one-pushed": true} {
		t.Run(name, func(t *testing.T) {
			e, m := newEdge(t, "eu"), replica.NewShelf()
			d := newDevice(t, ana, 1)
			d.mirror = m
			d.reopen()
			d.sync(e)
			d.garden()
			d.sync(e)
			_, err := d.db.Exec("VACUUM INTO ?", d.path+".copy")
			must(t, err)
			d.do(work.SetStatus(fence, work.Review))
			want := 2
			if pushed { // its number is used, and the database will not know it
				d.sync(e)
				want = 1
			}
			d.do(work.RenameTask(fence, "only in the mirror"))
			must(t, d.Close())

			f := &device{t: t, path: d.path + ".copy", member: ana, now: start, rnd: rand.NewChaCha8([32]byte{9}), mirror: m}
			f.reopen()
			saved, err := m.Saved()
			must(t, err)
			if n, err := f.Restore(t.Context(), f.Forgotten(saved)); err != nil || n != want {
				t.Fatalf("%d restored, want %d: %v", n, want, err)
			}
			if lost := f.Forgotten(replica.Saved{Pending: saved.Pending[:1]}); !pushed && len(lost.Pending) != 0 {
				t.Fatalf("known again and still taken for lost: %+v", lost)
			}
			if r := f.push(e); (fault.KindOf(r.Err) == fault.Conflict) != pushed {
				t.Fatalf("got %+v", r)
			}
			f.sync(e)
			f.sync(e)
			if f.title() != "only in the mirror" || f.Counts().Waiting != 0 || f.digest() != store0(t, e.db) {
				t.Fatalf("title %q, %+v", f.title(), f.Counts())
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

// A refused change lies in the mirror until the person has decided, also over a replica that is made from the mirror.
func TestMirrorKeepsWhatWasRefused(t *testing.T) {
	e, m := newEdge(t, "eu"), replica.NewShelf()
	d := newDevice(t, bo, 1)
	d.mirror = m
	d.reopen()
	a := newDevice(t, ana, 2)
	a.sync(e)
	a.garden()
	a.sync(e)
	d.sync(e)
	d.do(work.RenameTask(fence, "not allowed"))
	d.do(work.SetStatus(fence, work.Doing))
	e.roles[bo] = work.Viewer
	d.push(e)
	must(t, d.Close())
	saved, err := m.Saved()
	if err != nil || len(saved.Pending) != 0 || len(saved.Refused) != 2 || saved.Refused[0].Kind != fault.Denied || saved.Refused[0].Detail == "" {
		t.Fatalf("%+v, %v", saved, err)
	}
	e.roles[bo] = work.Member
	n := newDevice(t, bo, 3)
	n.mirror = m
	n.reopen()
	n.sync(e)
	count, err := n.Restore(t.Context(), saved)
	if count != 2 || err != nil {
		t.Fatalf("%d restored, %v", count, err)
	}
	if count, err = n.Restore(t.Context(), saved); count != 0 || err != nil {
		t.Fatalf("restored twice: %d, %v", count, err)
	}
	items := ask[port.AttentionResult](n, port.Query{Kind: port.Attention}).Items
	must(t, n.Retry(t.Context(), items[0].Num))
	must(t, n.Discard(t.Context(), items[1].Num))
	n.sync(e)
	if n.title() != "not allowed" {
		t.Errorf("sent again, the title is %q", n.title())
	}
	must(t, n.Close())
	if saved, err = m.Saved(); err != nil || len(saved.Pending)+len(saved.Refused) != 0 {
		t.Fatalf("left in the mirror: %+v, %v", saved, err)
	}
}

// balky is a mirror that refuses while it is told to.
type balky struct {
	*replica.Shelf
	full atomic.Bool
}

func (b *balky) Put(ctx context.Context, num uint64, tx []byte) error {
	if b.full.Load() {
		return fault.Errorf("test", fault.Full, "no room")
	}
	return b.Shelf.Put(ctx, num, tx)
}

// What the mirror does not take is told when nothing else would keep it, and put there as soon as it takes again.
func TestMirrorThatFailsIsTold(t *testing.T) {
	e, m := newEdge(t, "eu"), &balky{Shelf: replica.NewShelf()}
	d := newDevice(t, ana, 1)
	d.mirror, d.first = m, true
	d.reopen()
	d.sync(e)
	d.garden()
	if d.Counts().Unkept {
		t.Fatal("all is kept, and it says otherwise")
	}
	m.full.Store(true)
	d.do(work.RenameTask(fence, "one"))
	d.do(work.RenameTask(fence, "two"))
	if !d.Counts().Unkept {
		t.Fatal("nothing is kept, and it does not say so")
	}
	m.full.Store(false)
	d.do(work.RenameTask(fence, "three"))
	must(t, d.Close())
	saved, err := m.Saved()
	if want := d.Counts().Waiting; err != nil || len(saved.Pending) != want || d.Counts().Unkept {
		t.Fatalf("%d of %d are kept, %v", len(saved.Pending), want, err)
	}
}
