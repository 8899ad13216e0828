package billingdb

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"holdfast/server/billing"
	"holdfast/server/catalog"
	"holdfast/server/meter"
	"holdfast/server/payment"
	"holdfast/sync/fault"
)

const shop = `
currency: EUR
timezone: Europe/Paris
proration: day
seller: {country: FR}
taxes: [{country: FR, percent: 20}]
meters: {calls: {aggregate: sum}}
invoices: {grace: 3h}
plans:
  small: {prices: [{id: base, model: flat, amount: 20}, {id: seats, model: per_unit, quantity: seats, amount: 7}, {id: calls, model: per_unit, meter: calls, amount: 0.013}], thresholds: [50]}
  large: {prices: [{id: base, model: flat, amount: 90}, {id: calls, model: package, meter: calls, size: 100, amount: 1}]}
coupons: {TEN: {percent: 10, lasts: periods, periods: 3}}
`

// world is an engine over a store, with the test processor, which outlives the engine as a bank does.
type world struct {
	t     *testing.T
	dir   string
	db    *DB
	store billing.Store
	e     *billing.Engine
	p     *payment.Test
	cat   *catalog.Catalog
	now   time.Time
}

func newWorld(t *testing.T, dir string) *world {
	c, err := catalog.Parse(strings.NewReader(shop))
	if err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, dir: dir, cat: c, now: time.Date(2026, 1, 31, 9, 0, 0, 0, time.UTC)}
	w.p = payment.NewTest(func() time.Time { return w.now })
	w.open()
	return w
}

func (w *world) open() {
	w.store = nil
	if w.dir != "" {
		db, err := Open(context.Background(), w.dir)
		if err != nil {
			w.t.Fatal(err)
		}
		w.db, w.store = db, db
	}
	w.engine()
}

func (w *world) engine() {
	w.e = billing.New(billing.Config{Catalog: w.cat, Processor: w.p, Start: w.now, Store: w.store})
	if err := w.e.Load(context.Background()); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) restart() {
	if w.dir == "" {
		return
	}
	if err := w.db.Close(); err != nil {
		w.t.Fatal(err)
	}
	w.open()
}

func (w *world) to(at time.Time) {
	for {
		next := w.e.Next()
		if p := w.p.Next(); next.IsZero() || !p.IsZero() && p.Before(next) {
			next = p
		}
		if next.IsZero() || next.After(at) {
			break
		}
		if next.After(w.now) {
			w.now = next
		}
		if err := w.e.Advance(context.Background(), w.now); err != nil {
			w.t.Fatal(err)
		}
		for _, ev := range w.p.Take() {
			if err := w.e.Hear(context.Background(), ev); err != nil {
				w.t.Fatal(err)
			}
		}
	}
	w.now = at
	if err := w.e.Advance(context.Background(), at); err != nil {
		w.t.Fatal(err)
	}
}

// life plays a seeded year; restarts says how often the process ends and starts again.
func (w *world) life(seed uint64, restarts bool) string {
	r, coin := rand.New(rand.NewPCG(seed, 1)), rand.New(rand.NewPCG(seed, 2))
	ctx := context.Background()
	for i, card := range []string{"ok", "fails-twice", "disputed"} {
		id := fmt.Sprint("c", i)
		if err := w.e.Open(ctx, billing.Customer{ID: id, Country: "FR"}); err != nil {
			w.t.Fatal(err)
		}
		_ = w.e.Do(ctx, id, billing.Methods{List: []payment.Method{{Kind: payment.Card, Token: card}}})
	}
	for n := range 60 {
		w.to(w.now.Add(time.Duration(r.IntN(200)) * time.Hour))
		if restarts && coin.IntN(3) == 0 {
			w.restart()
		}
		id := fmt.Sprint("c", r.IntN(3))
		seats := map[string]int64{"seats": int64(1 + r.IntN(9))}
		cmds := []billing.Command{billing.Subscribe{Plan: "small", Quantities: seats, Coupons: []string{"TEN"}},
			billing.Change{Plan: "large"}, billing.Change{Plan: "small", Quantities: seats, When: "now"},
			billing.Change{Quantities: seats}, billing.Cancel{Now: true,
				Credit: "refund"}, billing.Reactivate{}, billing.Pause{Until: w.now.AddDate(0, 0, 9)}, billing.Buy{Amount: 3000},
			billing.Give{Amount: 500, Expires: w.now.AddDate(0, 1, 0)}, billing.Cancel{}, billing.Stay{}}
		if err := w.e.Do(ctx, id, cmds[r.IntN(len(cmds))]); err != nil && fault.KindOf(err) == fault.Other {
			w.t.Fatal(err)
		}
		ev := meter.Event{Source: "s", ID: fmt.Sprint(n), Type: "calls",
			Time: w.now.Add(-time.Duration(r.IntN(48)) * time.Hour), Data: map[string]string{"value": fmt.Sprint(r.IntN(3000))}}
		if _, err := w.e.Record(ctx, id, ev); err != nil {
			w.t.Fatal(err)
		}
	}
	w.to(w.now.AddDate(0, 2, 0))
	if err := w.e.Close(ctx); err != nil {
		w.t.Fatal(err)
	}
	for _, d := range w.e.Reconcile() {
		w.t.Errorf("%+v", d)
	}
	return w.text()
}

// text is everything that the engine knows, the same for the same moments in whatever zone.
func (w *world) text() string {
	var b strings.Builder
	for _, a := range w.e.Accounts() {
		for _, v := range a.Invoices {
			fmt.Fprintf(&b, "%s %s %s %d %d %d %s\n", a.ID, v.Number, v.State, v.Total, v.Due(), v.CreditsApplied(), v.Issued.UTC())
		}
		for _, n := range a.Notes {
			fmt.Fprintf(&b, "%s %s %d %s\n", a.ID, n.Number, n.Total, n.Issued.UTC())
		}
		for _, t := range a.Book.Txs() {
			fmt.Fprintf(&b, "%s %s %v %s\n", a.ID, t.Key, t.Entries, t.Effective.UTC())
		}
		s, _ := json.Marshal([]any{a.Sub().Status, a.Sub().Plan, a.Sub().Quantities, a.Sub().Cycle, len(a.Events),
			len(a.Notices), a.Standing()})
		fmt.Fprintf(&b, "%s %s\n", a.ID, s)
	}
	return b.String()
}

func TestRestartsChangeNothing(t *testing.T) {
	for seed := range uint64(4) {
		want := newWorld(t, "").life(seed, false)
		if got := newWorld(t, t.TempDir()).life(seed, true); got != want {
			t.Errorf("seed %d: with restarts\n%s\nwithout\n%s", seed, got, want)
		}
	}
}

// brittle is a store that fails, or whose process dies after the commit, when told.
type brittle struct {
	billing.Store
	left int
}

var errDisk = errors.New("the disk is gone")

func (b *brittle) Save(ctx context.Context, s billing.Saved) error {
	if b.left--; b.left < 0 {
		return errDisk
	}
	return b.Store.Save(ctx, s)
}

func TestBM33_DyingAtAnyMomentChargesOnce(t *testing.T) {
	for die := range 8 {
		w := newWorld(t, t.TempDir())
		ctx := context.Background()
		if err := w.e.Open(ctx, billing.Customer{ID: "c", Country: "FR"}); err != nil {
			t.Fatal(err)
		}
		if err := w.e.Do(ctx, "c", billing.Methods{List: []payment.Method{{Kind: payment.Card, Token: "ok"}}}); err != nil {
			t.Fatal(err)
		}
		w.store = &brittle{w.db, die}
		w.engine()
		err := w.e.Do(ctx, "c", billing.Subscribe{ID: "s", Plan: "large"})
		if err != nil && !errors.Is(err, errDisk) {
			t.Fatal(err)
		}
		w.restart()
		if a, _ := w.e.Account("c"); !a.Sub().Live() {
			if err := w.e.Do(ctx, "c", billing.Subscribe{ID: "s", Plan: "large"}); err != nil {
				t.Fatal(err)
			}
		}
		a, _ := w.e.Account("c")
		if len(a.Invoices) != 1 || a.Invoices[0].Due() != 0 || len(a.Payments) != 1 ||
			a.Book.Balance("cash", "EUR") != a.Invoices[0].Total {
			t.Errorf("dying after %d writes: %d invoices, %d payments, cash %d", die, len(a.Invoices), len(a.Payments),
				a.Book.Balance("cash", "EUR"))
		}
		if d := w.e.Reconcile(); len(d) > 0 {
			t.Errorf("dying after %d writes: %+v", die, d)
		}
	}
}

func TestBookingsCannotBeChanged(t *testing.T) {
	w := newWorld(t, t.TempDir())
	w.life(1, false)
	for _, s := range []string{"UPDATE booking SET account = 'x'", "DELETE FROM booking"} {
		if _, err := w.db.db.Exec(s); err == nil {
			t.Errorf("%s was done", s)
		}
	}
}
