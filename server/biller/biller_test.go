package biller

import (
	"context"
	"crypto/rand"
	"database/sql"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"holdfast/server/billing"
	"holdfast/server/billingdb"
	"holdfast/server/hubdb"
	"holdfast/server/metering"
	"holdfast/server/payment"
	"holdfast/server/tenancy"
	"holdfast/sync/fault"
	"holdfast/sync/id"
	"holdfast/sync/sqlite"
	"holdfast/sync/work"
)

// world is a hub's workspaces and billing on one clock, in real files. Metered totals are what the test says.
type world struct {
	t      testing.TB
	dir    string
	db     *sql.DB
	people *tenancy.Service
	used   map[string]int64 // month/meter → total
	now    time.Time
	s      *Service
	ws     id.ID
	owner  id.ID
}

func (w *world) Parts(_ context.Context, _ id.ID, month time.Time) ([]metering.Part, time.Time, error) {
	var out []metering.Part
	for _, m := range []string{"changes", "api-calls", "storage-byte-hours"} {
		out = append(out, metering.Part{Meter: m, Quantity: w.used[month.Format("2006-01/")+m]})
	}
	return out, w.now, nil
}

func (w *world) Touched() map[id.ID]bool { return map[id.ID]bool{w.ws: true} }

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func newWorld(t testing.TB) *world {
	w := &world{t: t, dir: t.TempDir(), used: map[string]int64{}, now: time.Date(2026, 11, 11, 9, 0, 0, 0, time.UTC)}
	var err error
	w.db, err = hubdb.Open(t.Context(), w.dir)
	must(t, err)
	t.Cleanup(func() { w.db.Close() })
	w.people = tenancy.New(tenancy.Config{DB: w.db, Now: func() time.Time { return w.now }, Rand: rand.Reader, Log: slog.New(slog.DiscardHandler)})
	w.owner = w.person("Ana")
	w.ws, err = w.people.Create(t.Context(), w.owner, "Acme", "eu")
	must(t, err)
	w.open()
	t.Cleanup(func() { w.s.close() })
	return w
}

func (w *world) person(name string) id.ID {
	p := id.New(w.now, rand.Reader)
	_, err := w.db.Exec("INSERT INTO person (id, name, created_ms) VALUES (?, ?, 1)", p, name)
	must(w.t, err)
	return p
}

// open starts billing without its clockwork: tests pass by hand.
func (w *world) open() {
	w.s = New(Config{Dir: w.dir, Tenancy: w.people, Usage: w, Now: func() time.Time { return w.now }, Log: slog.New(slog.DiscardHandler)})
	must(w.t, w.s.open(w.t.Context()))
}

func (w *world) restart() { must(w.t, w.s.close()); w.open() }

func (w *world) pass() { w.t.Helper(); must(w.t, w.s.Pass(w.t.Context())) }

func (w *world) to(at time.Time) { w.t.Helper(); w.now = at; w.pass() }

func (w *world) account() *billing.Account {
	a, err := w.s.engine.Account(string(w.ws))
	must(w.t, err)
	return a
}

func (w *world) limits() map[string]int64 {
	b, err := w.people.Brief(w.t.Context(), w.ws)
	must(w.t, err)
	return b.Limits
}

func (w *world) join(name string) (id.ID, error) {
	p := w.person(name)
	_, code, err := w.people.Invite(w.t.Context(), w.ws, w.owner, work.Member, 1)
	must(w.t, err)
	_, err = w.people.Accept(w.t.Context(), p, code)
	return p, err
}

func day(month time.Month, d int) time.Time { return time.Date(2026, month, d, 9, 0, 0, 0, time.UTC) }

func TestEveryWorkspaceGetsTheFreePlan(t *testing.T) {
	w := newWorld(t)
	w.pass()
	w.pass()
	a := w.account()
	if a.Sub().Plan != "free" || a.Name != "Acme" || len(a.Subs) != 1 {
		t.Fatalf("%+v", a.Sub())
	}
	if l := w.limits(); l["seats"] != 10 || l["changes"] != 1_000_000 || l["changes.used"] != 0 {
		t.Errorf("%v", l)
	}
}

func TestBM34_WhatIsMeteredIsBilledOverMonthsAndRestarts(t *testing.T) {
	w := newWorld(t)
	w.pass()
	ctx := t.Context()
	must(t, w.s.SetMethod(ctx, w.ws, payment.Method{Kind: payment.Card, Token: "4242 4242 4242 4242"}))
	must(t, w.s.ChangePlan(ctx, w.ws, "team"))
	w.used["2026-11/changes"] = 700_000
	w.to(day(11, 20))
	w.restart()
	w.used["2026-11/changes"] = 1_300_001 // 4 started packages above the million
	w.to(day(11, 28))
	w.restart()
	w.used["2026-11/changes"] = 1_400_001 // counted in November, handed over in December: 5 packages
	w.now = day(12, 1)
	w.pass()
	w.used["2026-12/changes"] = 9
	w.to(day(12, 2))
	a := w.account()
	if len(a.Invoices) != 2 {
		t.Fatalf("%d invoices", len(a.Invoices))
	}
	// 20/30 of a seat at 6.00, then 5 packages and a seat for December, each with 20 % tax.
	if got := [2]int64{a.Invoices[0].Net, a.Invoices[1].Net}; got != [2]int64{400, 1100} {
		t.Errorf("net amounts %v", got)
	}
	for _, v := range a.Invoices {
		if v.State != "paid" {
			t.Errorf("%s is %s", v.Number, v.State)
		}
	}
	if d := w.s.engine.Reconcile(); len(d) > 0 {
		t.Errorf("%+v", d)
	}
}

func TestBM15_SeatsFollowThePeople(t *testing.T) {
	w := newWorld(t)
	w.pass()
	must(t, w.s.SetMethod(t.Context(), w.ws, payment.Method{Kind: payment.Card, Token: "ok"}))
	must(t, w.s.ChangePlan(t.Context(), w.ws, "team"))
	w.now = day(11, 21)
	bo, err := w.join("Bo")
	must(t, err)
	w.pass()
	if q := w.account().Sub().Quantities["seats"]; q != 2 {
		t.Fatalf("%d seats", q)
	}
	w.to(day(12, 2))
	a := w.account()
	if v := a.Invoices[len(a.Invoices)-1]; v.Net != 200+1200 { // 10/30 of a seat, then two
		t.Errorf("net %d: %+v", v.Net, v.Lines)
	}
	off := false
	must(t, w.people.SetMember(t.Context(), w.ws, w.owner, bo, tenancy.MemberChange{Active: &off}))
	w.pass()
	if q := w.account().Sub().Quantities["seats"]; q != 1 {
		t.Errorf("%d seats", q)
	}
}

func TestBM30_WhoDoesNotPayMayReadAndComesBack(t *testing.T) {
	w := newWorld(t)
	w.pass()
	ctx := t.Context()
	must(t, w.s.SetMethod(ctx, w.ws, payment.Method{Kind: payment.Card, Token: "4000000000009995"}))
	must(t, w.s.ChangePlan(ctx, w.ws, "team"))
	state := func() string {
		b, err := w.people.Brief(ctx, w.ws)
		must(t, err)
		return b.State
	}
	for d := 12; d <= 24; d++ {
		w.to(day(11, d))
		w.restart()
	}
	if state() != tenancy.Active {
		t.Errorf("restricted within the grace")
	}
	w.to(day(11, 26))
	if state() != tenancy.Restricted {
		t.Errorf("not restricted after two weeks")
	}
	must(t, w.s.SetMethod(ctx, w.ws, payment.Method{Kind: payment.Card, Token: "ok"}))
	if state() != tenancy.Active || w.account().Invoices[0].State != "paid" {
		t.Errorf("%s, %s", state(), w.account().Invoices[0].State)
	}
}

func TestBM27_TheTestBankRemembers(t *testing.T) {
	w := newWorld(t)
	w.pass()
	ctx := t.Context()
	must(t, w.s.SetMethod(ctx, w.ws, payment.Method{Kind: payment.Debit, Token: "account-bounces"}))
	must(t, w.s.ChangePlan(ctx, w.ws, "business"))
	w.restart()
	w.to(day(11, 15)) // settled after three days
	if s := w.account().Invoices[0].State; s != "paid" {
		t.Fatalf("%s", s)
	}
	w.restart()
	w.to(day(11, 22)) // and returned after ten
	if s := w.account().Invoices[0].State; s != "open" {
		t.Errorf("%s", s)
	}
	if d := w.s.engine.Reconcile(); len(d) > 0 {
		t.Errorf("%+v", d)
	}
}

func TestLimitsAreToldAsTheyAreUsed(t *testing.T) {
	w := newWorld(t)
	w.pass()
	w.used["2026-11/changes"] = 1000
	w.pass()
	if l := w.limits(); l["changes.used"] != 0 {
		t.Errorf("a little use was published: %v", l)
	}
	w.used["2026-11/changes"] = 60_000
	w.pass()
	if l := w.limits(); l["changes.used"] != 60_000 || l["changes.until"] != day(12, 1).Truncate(24*time.Hour).UnixMilli() {
		t.Errorf("%v", l)
	}
	w.used["2026-11/changes"] = 1_000_000
	w.pass()
	if l := w.limits(); l["changes.used"] != 1_000_000 {
		t.Errorf("%v", l)
	}
	must(t, w.s.SetMethod(t.Context(), w.ws, payment.Method{Kind: payment.Card, Token: "ok"}))
	must(t, w.s.ChangePlan(t.Context(), w.ws, "team"))
	if l := w.limits(); l["seats"] != 200 || l["changes"] != 0 {
		t.Errorf("a soft limit was published: %v", l)
	}
}

// What one customer is granted otherwise reaches the edges like a plan, goes with a restart, and ends by itself.
func TestBM06_AnOverrideReachesTheEdges(t *testing.T) {
	w := newWorld(t)
	w.pass()
	plan := w.limits()["changes"]
	if plan == 0 {
		t.Fatal("the free plan has no limit of changes")
	}
	must(t, w.s.Do(t.Context(), w.ws, billing.Override{Feature: "changes", Value: "5000000", Reason: "a migration", Until: day(11, 20)}))
	must(t, w.s.Do(t.Context(), w.ws, billing.Override{Feature: "seats", Value: "2", Reason: "abuse"}))
	if l := w.limits(); l["changes"] != 5_000_000 || l["seats"] != 2 {
		t.Errorf("%v", l)
	}
	_, err := w.join("Bea")
	must(t, err)
	if _, err := w.join("Cy"); fault.KindOf(err) != fault.Limit {
		t.Errorf("a third person came in: %v", err)
	}
	w.restart()
	w.pass()
	if l := w.limits(); l["changes"] != 5_000_000 {
		t.Errorf("after a restart: %v", l)
	}
	w.to(day(11, 20))
	if l := w.limits(); l["changes"] != plan || l["seats"] != 2 {
		t.Errorf("after its end: %v", l)
	}
}

func TestBadRequestsChangeNothing(t *testing.T) {
	w := newWorld(t)
	w.pass()
	for name, do := range map[string]func(context.Context) error{
		"plan-without-method": func(ctx context.Context) error { return w.s.ChangePlan(ctx, w.ws, "team") },
		"no-such-plan":        func(ctx context.Context) error { return w.s.ChangePlan(ctx, w.ws, "gold") },
		"same-plan":           func(ctx context.Context) error { return w.s.ChangePlan(ctx, w.ws, "free") },
		"no-such-card": func(ctx context.Context) error {
			return w.s.SetMethod(ctx, w.ws, payment.Method{Kind: payment.Card, Token: "12"})
		},
		"no-such-kind": func(ctx context.Context) error { return w.s.SetMethod(ctx, w.ws, payment.Method{Kind: "shells"}) },
	} {
		err := do(t.Context())
		if k := fault.KindOf(err); err == nil || k == fault.Other || fault.DetailOf(err) == "" {
			t.Errorf("%s: %v", name, err)
		}
	}
	if a := w.account(); a.Sub().Plan != "free" || len(a.Methods)+len(a.Invoices) != 0 {
		t.Errorf("%+v", a)
	}
}

func TestABrokenCatalogueNamesItsLine(t *testing.T) {
	dir := t.TempDir()
	must(t, os.WriteFile(filepath.Join(dir, CatalogFile), []byte("currency: EUR\nplans:\n  a: {prices: [{id: x, model: flat, amount: lots}]}\n"), 0o600))
	_, err := readCatalog(dir)
	if fault.KindOf(err) != fault.Invalid || !strings.Contains(fault.DetailOf(err), "3") {
		t.Errorf("%v", err)
	}
}

func TestSeatsEndWithThePlan(t *testing.T) {
	w := newWorld(t)
	w.pass()
	for n := range 9 {
		_, err := w.join("Member " + string(rune('A'+n)))
		must(t, err)
	}
	_, err := w.join("One too many")
	if fault.KindOf(err) != fault.Limit || !strings.Contains(fault.DetailOf(err), "Billing") {
		t.Fatalf("%v", err)
	}
	must(t, w.s.SetMethod(t.Context(), w.ws, payment.Method{Kind: payment.Card, Token: "ok"}))
	must(t, w.s.ChangePlan(t.Context(), w.ws, "team"))
	if _, err := w.join("Welcome now"); err != nil {
		t.Error(err)
	}
}

func TestBM27_TheOwnerConfirmsAPayment(t *testing.T) {
	w := newWorld(t)
	w.pass()
	ctx := t.Context()
	must(t, w.s.SetMethod(ctx, w.ws, payment.Method{Kind: payment.Card, Token: "authenticate"}))
	must(t, w.s.ChangePlan(ctx, w.ws, "business"))
	o, err := w.s.Overview(ctx, w.ws)
	must(t, err)
	if v := o.Invoices[0]; v.State != "open" || !v.Confirm {
		t.Fatalf("%+v", v)
	}
	w.restart()
	must(t, confirmed(w.s.Confirm(ctx, w.ws, o.Invoices[0].Number)))
	if w.account().Invoices[0].State != "paid" {
		t.Errorf("%s", w.account().Invoices[0].State)
	}
	if err := confirmed(w.s.Confirm(ctx, w.ws, o.Invoices[0].Number)); fault.KindOf(err) != fault.Conflict {
		t.Errorf("confirmed twice: %v", err)
	}
	w.restart()
	if d := w.s.engine.Reconcile(); len(d) > 0 || w.account().Invoices[0].State != "paid" {
		t.Errorf("%+v", d)
	}
}

func TestBM34_DriftRaisesAnAlarmWithItsRows(t *testing.T) {
	w := newWorld(t)
	w.pass()
	ctx := t.Context()
	must(t, w.s.SetMethod(ctx, w.ws, payment.Method{Kind: payment.Card, Token: "ok"}))
	must(t, w.s.ChangePlan(ctx, w.ws, "business"))
	must(t, w.s.db.Close())
	db, err := sqlite.Open(ctx, filepath.Join(w.dir, billingdb.File), sqlite.Options{})
	must(t, err)
	_, err = db.Exec("UPDATE invoice SET doc = CAST(json_set(CAST(doc AS TEXT), '$.total', 1) AS BLOB)")
	must(t, err)
	must(t, db.Close())
	w.open()
	w.to(day(11, 12))
	found, err := w.s.Differences(ctx, "2026-11-12")
	must(t, err)
	if rows := found["2026-11-12"]; len(rows) == 0 || rows[0].Customer != string(w.ws) {
		t.Errorf("%+v", found)
	}
}

func confirmed(_ string, err error) error { return err }
