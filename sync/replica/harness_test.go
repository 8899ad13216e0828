package replica_test

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"holdfast/sync/change"
	"holdfast/sync/hlc"
	"holdfast/sync/id"
	"holdfast/sync/ingress"
	"holdfast/sync/port"
	"holdfast/sync/replica"
	"holdfast/sync/sqlite"
	"holdfast/sync/store"
	"holdfast/sync/wire"
	"holdfast/sync/work"
)

// edge is one region.
type edge struct {
	*ingress.Ingress
	t     *testing.T
	db    *sql.DB
	name  string
	now   time.Time
	roles map[id.ID]string
}

func newEdge(t *testing.T, name string) *edge {
	t.Helper()
	e := &edge{t: t, db: openDB(t, ":memory:"), name: name, now: start, roles: map[id.ID]string{ana: work.Owner, bo: work.Member}}
	e.Ingress = ingress.New(ingress.Config{DB: e.db, Region: name, Tenant: tenant, Now: func() time.Time { return e.now }})
	must(t, e.Open(t.Context()))
	_, err := e.System(t.Context(), workspaceTx(), memberTx(ana, "Ana", work.Owner), memberTx(bo, "Bo", work.Member))
	must(t, err)
	return e
}

func systemTx(counter uint16, table string, row id.ID, cells ...change.Cell) change.Tx {
	return change.Tx{Stamp: hlc.Make(start.UnixMilli(), counter, 1), Actor: ana, Command: "system", Rows: []change.Row{{Table: table, ID: row, Cells: cells}}}
}

func workspaceTx() change.Tx {
	return systemTx(0, "workspace", tenant, change.Cell{Col: "name", Val: change.V("Works")})
}

func memberTx(person id.ID, name, role string) change.Tx {
	return systemTx(1, "member", person, change.Cell{Col: "active", Val: change.V(1)}, change.Cell{Col: "color", Val: change.V("red")},
		change.Cell{Col: "name", Val: change.V(name)}, change.Cell{Col: "role", Val: change.V(role)})
}

// device is a replica and what its person sees.
type device struct {
	*replica.Replica
	t      *testing.T
	db     *sql.DB
	path   string
	member id.ID
	now    time.Time
	rnd    *rand.ChaCha8
	runs   []func()
	mirror replica.Mirror
	first  bool // the mirror comes first
}

func openDB(t testing.TB, path string) *sql.DB {
	t.Helper()
	db, err := sqlite.Open(context.Background(), path, sqlite.Options{CacheKB: 32 << 10})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

func newDevice(t *testing.T, member id.ID, seed byte) *device {
	t.Helper()
	d := &device{t: t, path: tempDB(t), member: member, now: start, rnd: rand.NewChaCha8([32]byte{seed})}
	d.reopen()
	return d
}

// reopen is a crash and a new start: nothing but the file is left.
func (d *device) reopen() {
	d.t.Helper()
	if d.db != nil {
		d.db.Close()
	}
	d.db = openDB(d.t, d.path)
	d.runs = nil
	d.Replica = replica.New(replica.Config{DB: d.db, Tenant: tenant, Member: d.member, Now: func() time.Time { return d.now }, Rand: d.rnd,
		Schedule: func(run func()) { d.runs = append(d.runs, run) }, Mirror: d.mirror, MirrorFirst: d.first})
	must(d.t, d.Open(d.t.Context()))
}

// tick answers the watches.
func (d *device) tick() {
	runs := d.runs
	d.runs = nil
	for _, run := range runs {
		run()
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (d *device) try(e port.Edit) error {
	if e.Key == "" {
		e.Key = id.New(d.now, d.rnd)
	}
	_, err := d.Do(d.t.Context(), e)
	return err
}

func (d *device) do(e port.Edit) {
	d.t.Helper()
	must(d.t, d.try(e))
}

// push offers what waits and settles what comes back.
func (d *device) push(e *edge) wire.PushReply {
	d.t.Helper()
	req, err := d.PushRequest(d.t.Context())
	must(d.t, err)
	if len(req.Txs) == 0 {
		return wire.PushReply{}
	}
	frame, err := wire.DecodePushRequest(req.Encode())
	must(d.t, err)
	reply, _ := e.Push(d.t.Context(), ingress.Actor{ID: d.member, Role: e.roles[d.member]}, frame)
	must(d.t, d.Settle(d.t.Context(), reply, 0))
	return reply
}

func (d *device) pull(e *edge) {
	d.t.Helper()
	for more := true; more; {
		r := e.Pull(d.t.Context(), wire.PullRequest{Cursor: d.Cursor()})
		must(d.t, r.Err)
		gap, err := d.Apply(d.t.Context(), r.Entries)
		must(d.t, err)
		if gap {
			d.t.Fatal("a pull left a gap")
		}
		more = r.More
	}
}

func (d *device) sync(e *edge) {
	d.t.Helper()
	if r := d.push(e); r.Err != nil {
		d.t.Fatal(r.Err)
	}
	d.pull(e)
}

// ask gives the present answer to a query.
func ask[T any](d *device, query port.Query) (v T) {
	d.t.Helper()
	var got *port.Result
	d.Watch(1000, query, func(r port.Result) { got = &r })
	d.tick()
	d.Unwatch(1000)
	if got == nil || got.Error != nil {
		d.t.Fatalf("no answer to %+v: %+v", query, got)
	}
	must(d.t, json.Unmarshal(got.Body, &v))
	return v
}

func (d *device) digest() [32]byte {
	d.t.Helper()
	sum, err := store.Digest(d.t.Context(), d.db)
	must(d.t, err)
	return sum
}

// dump is every byte of every table that decides what is shown, without what names the moment.
func (d *device) dump() string {
	d.t.Helper()
	var b strings.Builder
	for _, table := range []string{"workspace", "member", "project", "label", "task", "task_label", "comment", "history", "shadow", "outbox", "tally WHERE n <> 0"} {
		rows, err := d.db.Query("SELECT * FROM " + table)
		must(d.t, err)
		cols, _ := rows.Columns()
		for rows.Next() {
			vals, dest := make([]any, len(cols)), make([]any, len(cols))
			for i := range vals {
				dest[i] = &vals[i]
			}
			must(d.t, rows.Scan(dest...))
			fmt.Fprintf(&b, "%s %v\n", table, vals)
		}
		must(d.t, rows.Err())
		rows.Close()
	}
	return b.String()
}

var (
	garden = id.Derive("garden")
	fence  = id.Derive("fence")
)

func (d *device) garden() {
	d.t.Helper()
	d.do(work.NewProject(garden, "Garden", "green", "a0V"))
	d.do(work.NewTask(work.TaskDraft{ID: fence, Project: garden, Title: "Paint the fence", Status: work.Todo, Rank: "a0V", Author: d.member}))
}

func (d *device) title() string {
	d.t.Helper()
	return ask[port.DetailResult](d, port.Query{Kind: port.Detail, Task: fence}).Task.Title
}

func (d *device) mark() port.Mark {
	d.t.Helper()
	return ask[port.DetailResult](d, port.Query{Kind: port.Detail, Task: fence}).Task.Mark
}
