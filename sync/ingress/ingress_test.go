package ingress_test

import (
	"database/sql"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"testing"
	"time"

	"holdfast/sync/change"
	"holdfast/sync/fault"
	"holdfast/sync/hlc"
	"holdfast/sync/id"
	"holdfast/sync/ingress"
	"holdfast/sync/sqlite"
	"holdfast/sync/store"
	"holdfast/sync/wire"
	"holdfast/sync/work"
)

var (
	start  = time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
	tenant = id.Derive("tenant")
	ana    = ingress.Actor{ID: id.Derive("ana"), Role: work.Owner}
	bo     = ingress.Actor{ID: id.Derive("bo"), Role: work.Member}
)

// edge is a region's door in a test, with its own clock.
type edge struct {
	*ingress.Ingress
	t   *testing.T
	db  *sql.DB
	now time.Time
}

func open(t *testing.T, region, path string, change ...func(*ingress.Config)) *edge {
	t.Helper()
	db, err := sqlite.Open(t.Context(), path, sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	e := &edge{t: t, db: db, now: start}
	cfg := ingress.Config{DB: db, Region: region, Tenant: tenant, Now: func() time.Time { return e.now }}
	for _, c := range change {
		c(&cfg)
	}
	e.Ingress = ingress.New(cfg)
	if err := e.Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	return e
}

// writer numbers and stamps changes as a replica does.
type writer struct {
	replica uint64
	num     uint64
	now     time.Time
	counter uint16
}

func (w *writer) tx(rows ...change.Row) change.Tx {
	w.num++
	w.counter++
	now := w.now.Add(time.Duration(w.num) * time.Millisecond / 16)
	if w.now.IsZero() {
		now = start
	}
	return change.Tx{Num: w.num, Stamp: hlc.Make(now.UnixMilli(), w.counter, w.replica), Command: "test", Rows: rows}
}

func project(name string) change.Row {
	return change.Row{Table: "project", ID: id.Derive(name), Cells: []change.Cell{
		{Col: "color", Val: change.V("red")}, {Col: "name", Val: change.V(name)}, {Col: "rank", Val: change.V("a0V")}}}
}

func rename(name, to string, base hlc.Stamp) change.Row {
	return change.Row{Table: "project", ID: id.Derive(name), Cells: []change.Cell{{Col: "name", Val: change.V(to), Base: base}}}
}

func (e *edge) push(who ingress.Actor, replica uint64, cursor change.Vector, txs ...change.Tx) wire.PushReply {
	e.t.Helper()
	reply, _ := e.Push(e.t.Context(), who, wire.PushRequest{Replica: replica, Cursor: cursor, Txs: txs})
	return reply
}

func (e *edge) mustPush(who ingress.Actor, replica uint64, txs ...change.Tx) []wire.Fate {
	e.t.Helper()
	reply := e.push(who, replica, nil, txs...)
	if reply.Err != nil || len(reply.Fates) != len(txs) {
		e.t.Fatalf("push: %d fates, %v", len(reply.Fates), reply.Err)
	}
	for _, f := range reply.Fates {
		if !f.Accepted {
			e.t.Fatalf("refused: %+v", f)
		}
	}
	return reply.Fates
}

func (e *edge) name(row string) string {
	e.t.Helper()
	r, _, err := store.Get(e.t.Context(), e.db, "project", id.Derive(row))
	if err != nil {
		e.t.Fatal(err)
	}
	return r.Value("name").Text
}

func (e *edge) digest() [32]byte {
	e.t.Helper()
	d, err := store.Digest(e.t.Context(), e.db)
	if err != nil {
		e.t.Fatal(err)
	}
	return d
}

// carry hands everything that to lacks of from's own log over.
func carry(t *testing.T, from, to *edge, region string) ingress.Applied {
	t.Helper()
	es, err := from.Log(t.Context(), region, to.Heads()[region], 1<<30)
	if err != nil {
		t.Fatal(err)
	}
	a, err := to.ApplyRemote(t.Context(), es)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestPushRepeatedHasTheSameFate(t *testing.T) {
	e := open(t, "eu", ":memory:")
	w := writer{replica: 7}
	txs := []change.Tx{w.tx(project("one")), w.tx(rename("missing", "x", hlc.Stamp{})), w.tx(rename("one", "two", hlc.Stamp{}))}
	first := e.push(ana, 7, nil, txs...)
	if first.Err != nil || len(first.Fates) != 3 || !first.Fates[0].Accepted || first.Fates[1].Accepted || !first.Fates[2].Accepted {
		t.Fatalf("got %+v", first)
	}
	if f := first.Fates[1]; f.Kind != fault.NotFound || f.Table != "project" || f.Row != id.Derive("missing") || f.Detail == "" {
		t.Fatalf("refusal: %+v", f)
	}
	before := e.digest()
	again := e.push(ana, 7, nil, txs...)
	if fmt.Sprint(again.Fates) != fmt.Sprint(first.Fates) {
		t.Fatalf("fates changed:\n%v\n%v", first.Fates, again.Fates)
	}
	if e.digest() != before || e.Heads()["eu"] != 2 {
		t.Fatalf("pushed twice, applied twice: head %d", e.Heads()["eu"])
	}
}

func TestPushProtocol(t *testing.T) {
	e := open(t, "eu", ":memory:")
	w := writer{replica: 7}
	one, two, three, four := w.tx(project("one")), w.tx(project("two")), w.tx(project("three")), w.tx(project("four"))
	if r := e.push(ana, 7, nil, one, three); fault.KindOf(r.Err) != fault.Invalid {
		t.Fatalf("a hole: %v", r.Err)
	}
	if r := e.push(ana, 8, nil, one); fault.KindOf(r.Err) != fault.Invalid {
		t.Fatalf("another replica's stamp: %v", r.Err)
	}
	if r := e.push(ana, 7, nil); r.Err != nil || r.NowMS != start.UnixMilli() {
		t.Fatalf("an empty push asks for the time: %+v", r)
	}
	e.mustPush(ana, 7, one, two)
	if r := e.push(bo, 7, nil, three); fault.KindOf(r.Err) != fault.Conflict {
		t.Fatalf("somebody else's replica: %v", r.Err)
	}
	other := three
	other.Num = 2
	if r := e.push(ana, 7, nil, other); fault.KindOf(r.Err) != fault.Conflict {
		t.Fatalf("a number used for another change: %v", r.Err)
	}
	e.mustPush(ana, 7, three) // settles 1 and 2
	if r := e.push(ana, 7, nil, two); fault.KindOf(r.Err) != fault.Conflict {
		t.Fatalf("a number settled before: %v", r.Err)
	}
	e.mustPush(ana, 7, four)
	if e.Heads()["eu"] != 4 {
		t.Fatalf("head %d", e.Heads()["eu"])
	}
}

func TestPushOverwritesTheActor(t *testing.T) {
	e := open(t, "eu", ":memory:")
	w := writer{replica: 7}
	tx := w.tx(project("one"))
	tx.Actor = bo.ID
	e.mustPush(ana, 7, tx)
	es, _ := e.Log(t.Context(), "eu", 0, 1<<20)
	if len(es) != 1 || es[0].Tx.Actor != ana.ID {
		t.Fatalf("got %+v", es)
	}
	if r := e.push(ingress.Actor{ID: bo.ID, Role: work.Viewer}, 9, nil, (&writer{replica: 9}).tx(project("two"))); r.Fates[0].Kind != fault.Denied {
		t.Fatalf("a viewer wrote: %+v", r)
	}
}

func TestClampKeepsOrderAndBases(t *testing.T) {
	e := open(t, "eu", ":memory:")
	ahead := writer{replica: 7, now: start.AddDate(1, 0, 0)}
	one := ahead.tx(project("one"))
	two := ahead.tx(rename("one", "two", one.Stamp))
	fates := e.mustPush(ana, 7, one, two)
	limit := start.Add(time.Minute)
	if s := fates[0].Stamp; s.MS() != limit.UnixMilli() || !s.Before(fates[1].Stamp) {
		t.Fatalf("clamped to %v and %v", fates[0].Stamp.Time(), fates[1].Stamp.Time())
	}
	past, _, err := store.History(t.Context(), e.db, "project", id.Derive("one"))
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range past {
		if p.Lost {
			t.Fatalf("%q counts as lost, but its own writer replaced it", p.Val.Text)
		}
	}
	unrelated := e.mustPush(bo, 8, (&writer{replica: 8, now: ahead.now}).tx(project("x")), change.Tx{Num: 2, Stamp: hlc.Make(ahead.now.UnixMilli(), 9, 8), Rows: []change.Row{project("y")}})
	if !unrelated[0].Stamp.Before(unrelated[1].Stamp) {
		t.Fatalf("two changes of one replica at %v and %v", unrelated[0].Stamp, unrelated[1].Stamp)
	}
	// The reply was lost; the next change still builds on the stamp that the replica knows.
	three := ahead.tx(rename("one", "three", two.Stamp))
	fates = e.mustPush(ana, 7, one, two, three)
	es, _ := e.Log(t.Context(), "eu", 4, 1<<20)
	if got := es[0].Tx.Rows[0].Cells[0].Base; got != fates[1].Stamp {
		t.Fatalf("base %v, want %v", got, fates[1].Stamp)
	}
	// What was written after seeing a value of a region whose clock is ahead stays after it.
	far := change.Tx{Stamp: hlc.Make(start.Add(9*time.Minute).UnixMilli(), 0, 3), Actor: bo.ID, Command: "x", Rows: []change.Row{rename("one", "far", fates[2].Stamp)}}
	if _, err := e.ApplyRemote(t.Context(), []change.Entry{{Origin: "us", Seq: 1, Tx: far}}); err != nil {
		t.Fatal(err)
	}
	e.mustPush(ana, 7, ahead.tx(rename("one", "near", far.Stamp)))
	if got := e.name("one"); got != "near" {
		t.Fatalf("the name is %q", got)
	}
}

func TestApplyRemoteKeepsSequence(t *testing.T) {
	eu, us := open(t, "eu", ":memory:"), open(t, "us", ":memory:")
	w := writer{replica: 7}
	for i := range 10 {
		eu.mustPush(ana, 7, w.tx(project(fmt.Sprint(i))))
	}
	es, err := eu.Log(t.Context(), "eu", 0, 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	a, err := us.ApplyRemote(t.Context(), es[4:])
	if err != nil || len(a.Entries) != 0 || len(a.Missing) != 1 || a.Missing[0] != (ingress.Range{Origin: "eu", From: 1, To: 4}) {
		t.Fatalf("got %+v, %v", a, err)
	}
	mixed := append(append([]change.Entry{}, es[:6]...), es[2:9]...)
	rand.New(rand.NewPCG(1, 2)).Shuffle(len(mixed), func(i, j int) { mixed[i], mixed[j] = mixed[j], mixed[i] })
	if a, err = us.ApplyRemote(t.Context(), mixed); err != nil || len(a.Entries) != 9 || len(a.Missing) != 0 {
		t.Fatalf("got %d entries, %+v, %v", len(a.Entries), a.Missing, err)
	}
	carry(t, eu, us, "eu")
	if us.digest() != eu.digest() {
		t.Fatal("regions differ")
	}
	if r := us.Pull(t.Context(), wire.PullRequest{Cursor: change.Vector{"eu": 7}}); len(r.Entries) != 3 || r.More || r.Snapshot || r.Head["eu"] != 10 {
		t.Fatalf("pull: %+v", r)
	}
}

func TestPushToAnotherRegion(t *testing.T) {
	eu, us := open(t, "eu", ":memory:"), open(t, "us", ":memory:")
	w := writer{replica: 7}
	one, two, three := w.tx(project("one")), w.tx(rename("nowhere", "x", hlc.Stamp{})), w.tx(rename("one", "uno", hlc.Stamp{}))
	if r := eu.push(ana, 7, nil, one, two); r.Err != nil || len(r.Fates) != 2 {
		t.Fatalf("got %+v", r)
	}
	// The replica knows both fates and moves on to a region that has not seen the project.
	r := us.push(ana, 7, change.Vector{"eu": 1}, three)
	if fault.KindOf(r.Err) != fault.Behind || len(r.Fates) != 0 {
		t.Fatalf("want Behind, got %+v", r)
	}
	carry(t, eu, us, "eu")
	if r = us.push(ana, 7, change.Vector{"eu": 1}, three); r.Err != nil || !r.Fates[0].Accepted || r.Fates[0].Origin != "us" {
		t.Fatalf("got %+v", r)
	}
	// One whose answer was lost finds its fate in the region it moved to.
	four := w.tx(project("four"))
	was := eu.mustPush(ana, 7, four)
	carry(t, eu, us, "eu")
	if r = us.push(ana, 7, nil, four); r.Err != nil || r.Fates[0] != was[0] {
		t.Fatalf("got %+v, want %+v", r, was)
	}
	// Offered to both before they saw each other: logged twice, merged once.
	five := w.tx(rename("four", "vier", hlc.Stamp{}))
	eu.mustPush(ana, 7, five)
	us.mustPush(ana, 7, five)
	carry(t, eu, us, "eu")
	carry(t, us, eu, "us")
	if eu.digest() != us.digest() {
		t.Fatal("regions differ")
	}
}

func TestPoisonIsRefusedAloneAndTheRestKept(t *testing.T) {
	e := open(t, "eu", ":memory:")
	// A rule of the database that the check does not know stands for whatever may go wrong in a merge.
	if _, err := e.db.Exec(`CREATE TRIGGER trap BEFORE INSERT ON project WHEN NEW.name = 'poison' BEGIN SELECT RAISE(ABORT, 'trapped'); END`); err != nil {
		t.Fatal(err)
	}
	w := writer{replica: 7}
	r := e.push(ana, 7, nil, w.tx(project("one")), w.tx(project("poison")), w.tx(project("two")))
	if r.Err != nil || len(r.Fates) != 3 || !r.Fates[0].Accepted || r.Fates[1].Accepted || !r.Fates[2].Accepted {
		t.Fatalf("got %+v", r)
	}
	if e.Heads()["eu"] != 2 || e.name("two") != "two" || e.name("poison") != "" {
		t.Fatalf("head %d", e.Heads()["eu"])
	}
}

func TestFullDiskLosesNothing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "t.db")
	e := open(t, "eu", path)
	w := writer{replica: 7}
	e.mustPush(ana, 7, w.tx(project("one")))
	var pages int
	if err := e.db.QueryRow("PRAGMA page_count").Scan(&pages); err != nil {
		t.Fatal(err)
	}
	limit := func(n int) {
		if _, err := e.db.Exec(fmt.Sprintf("PRAGMA max_page_count=%d", n)); err != nil {
			t.Fatal(err)
		}
	}
	limit(pages)
	before := e.digest()
	var txs []change.Tx
	for i := range 300 {
		txs = append(txs, w.tx(project(fmt.Sprintf("p%d", i))))
	}
	r := e.push(ana, 7, nil, txs...)
	if fault.KindOf(r.Err) != fault.Full || len(r.Fates) != 0 {
		t.Fatalf("got %d fates, %v", len(r.Fates), r.Err)
	}
	if e.digest() != before || e.Heads()["eu"] != 1 {
		t.Fatal("something of the push was kept")
	}
	limit(1 << 20)
	e.mustPush(ana, 7, txs...)
	if e.Heads()["eu"] != 301 {
		t.Fatalf("head %d", e.Heads()["eu"])
	}
}

func TestTrimKeepsFates(t *testing.T) {
	e := open(t, "eu", ":memory:")
	w := writer{replica: 7}
	txs := []change.Tx{w.tx(project("one")), w.tx(project("two")), w.tx(project("three"))}
	fates := e.mustPush(ana, 7, txs...)
	if err := e.Trim(t.Context(), change.Vector{"eu": 2}); err != nil {
		t.Fatal(err)
	}
	if got := e.mustPush(ana, 7, txs...); fmt.Sprint(got) != fmt.Sprint(fates) {
		t.Fatalf("fates changed: %v", got)
	}
	if r := e.Pull(t.Context(), wire.PullRequest{Cursor: change.Vector{"eu": 1}}); !r.Snapshot || len(r.Entries) > 0 {
		t.Fatalf("got %+v", r)
	}
	if r := e.Pull(t.Context(), wire.PullRequest{Cursor: change.Vector{"eu": 2}}); r.Snapshot || len(r.Entries) != 1 {
		t.Fatalf("got %+v", r)
	}
	if _, err := e.Log(t.Context(), "eu", 1, 1); fault.KindOf(err) != fault.NotFound {
		t.Fatalf("got %v", err)
	}
}

func TestReopenAndSnapshot(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "t.db")
	e := open(t, "eu", path)
	w := writer{replica: 7}
	one := w.tx(project("one"))
	fates := e.mustPush(ana, 7, one, w.tx(rename("one", "uno", one.Stamp)))
	if err := e.Acked(t.Context(), "us", change.Vector{"eu": 1}); err != nil {
		t.Fatal(err)
	}
	e = open(t, "eu", path, func(c *ingress.Config) { c.Regions = func() []string { return []string{"eu", "us"} } })
	if got := e.Everywhere(); e.Heads()["eu"] != 2 || got["eu"] != 1 {
		t.Fatalf("heads %v everywhere %v", e.Heads(), got)
	}
	if got := e.mustPush(ana, 7, one); got[0] != fates[0] {
		t.Fatalf("got %+v", got)
	}
	snap := filepath.Join(dir, "snap.db")
	v, err := e.Snapshot(t.Context(), snap)
	if err != nil || v["eu"] != 2 {
		t.Fatalf("got %v, %v", v, err)
	}
	db, err := sqlite.Open(t.Context(), snap, sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	d, err := store.Digest(t.Context(), db)
	if err != nil || d != e.digest() {
		t.Fatalf("the snapshot differs: %v", err)
	}
	var size, logs int
	if err := db.QueryRow("PRAGMA page_size").Scan(&size); err != nil || size != ingress.SnapshotPageBytes {
		t.Fatalf("page size %d, %v", size, err)
	}
	if err := db.QueryRow("SELECT count(*) FROM sqlite_schema WHERE name IN ('log','replica','fate')").Scan(&logs); err != nil || logs != 0 {
		t.Fatalf("%d tables of the edge in the snapshot, %v", logs, err)
	}
	if err := store.Migrate(t.Context(), db); err != nil {
		t.Fatal(err)
	}
	if _, err := e.Snapshot(t.Context(), snap); fault.KindOf(err) != fault.Conflict {
		t.Fatalf("wrote over a file: %v", err)
	}
}

func memberTx(a ingress.Actor) change.Tx {
	return change.Tx{Stamp: hlc.Make(start.UnixMilli(), 0, 1), Actor: a.ID, Command: "member.project", Rows: []change.Row{{Table: "member", ID: a.ID,
		Cells: []change.Cell{{Col: "active", Val: change.V(1)}, {Col: "color", Val: change.V("red")}, {Col: "name", Val: change.V("Somebody")}, {Col: "role", Val: change.V(a.Role)}}}}}
}

func TestSystemIsOneWriteInAllRegions(t *testing.T) {
	eu, us := open(t, "eu", ":memory:"), open(t, "us", ":memory:")
	member := memberTx(ana)
	for _, e := range []*edge{eu, us} {
		if done, err := e.System(t.Context(), member); err != nil || len(done) != 1 {
			t.Fatalf("got %v, %v", done, err)
		}
		if done, err := e.System(t.Context(), member); err != nil || len(done) != 0 {
			t.Fatalf("nothing new, but logged: %v, %v", done, err)
		}
	}
	carry(t, eu, us, "eu")
	carry(t, us, eu, "us")
	if eu.digest() != us.digest() {
		t.Fatal("regions differ")
	}
}

func TestLostTailComesBack(t *testing.T) {
	eu, us := open(t, "eu", ":memory:"), open(t, "us", ":memory:")
	w := writer{replica: 7}
	eu.mustPush(ana, 7, w.tx(project("one")), w.tx(project("two")))
	carry(t, eu, us, "eu")
	restored := open(t, "eu", ":memory:")
	es, err := us.Log(t.Context(), "eu", 0, 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := restored.ApplyRemote(t.Context(), es); err != nil || restored.Heads()["eu"] != 2 || restored.digest() != eu.digest() {
		t.Fatalf("heads %v, %v", restored.Heads(), err)
	}
	restored.mustPush(ana, 7, w.tx(project("three")))
	if restored.Heads()["eu"] != 3 {
		t.Fatalf("heads %v", restored.Heads())
	}
}
