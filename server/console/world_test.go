package console

import (
	"context"
	"crypto/rand"
	"database/sql"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"holdfast/build/browser"
	"holdfast/server/biller"
	"holdfast/server/billing"
	"holdfast/server/hubdb"
	"holdfast/server/identity"
	"holdfast/server/metering"
	"holdfast/server/operator"
	"holdfast/server/outbox"
	"holdfast/server/payment"
	"holdfast/server/tenancy"
	"holdfast/server/webhook"
	"holdfast/sync/id"
	"holdfast/sync/token"
)

func TestMain(m *testing.M) { os.Exit(browser.Main(m)) }

const shop = `
seller: {name: Holdfast SAS, country: FR, address: [12 quai de la Joliette, 13002 Marseille], vat_id: FR40303265045, email: billing@holdfast.example, iban: FR7630006000011234567890189}
currency: EUR
timezone: UTC
proration: day
align: calendar
meters:
  changes: {name: Changes, aggregate: sum}
  api-calls: {name: API calls, aggregate: sum}
features:
  seats: {name: Seats, type: number}
  changes: {name: Changes this month, type: metered, meter: changes}
  sso: {name: Single sign-on, type: boolean}
plans:
  free: {name: Free, prices: [{id: seats, name: Seats, model: per_unit, quantity: seats, amount: 0}], entitlements: {seats: 10, changes: {limit: 1000000, period: month}}}
  team:
    name: Team
    versions:
      - {prices: [{id: seats, name: Seats, model: per_unit, quantity: seats, amount: 6}, {id: changes, name: Changes above a million, model: package, meter: changes, included: 1000000, size: 100000, amount: 1}], entitlements: {seats: 200, changes: {limit: 10000000, period: month, soft: true}}}
      - {from: 2026-07-01, prices: [{id: seats, name: Seats, model: per_unit, quantity: seats, amount: 7}], entitlements: {seats: 200, changes: unlimited}}
  business: {name: Business, trial_days: 14, prices: [{id: base, name: Business, model: flat, amount: 49}, {id: seats, name: Seats, model: per_unit, quantity: seats, amount: 11}, {id: calls, name: API calls, model: graduated, meter: api-calls, tiers: [{up_to: 10000, amount: 0}, {amount: 0.001}]}], entitlements: {seats: unlimited, changes: unlimited, sso: true}}
  yearly: {name: Team by the year, interval: year, align: anniversary, prices: [{id: base, name: Team by the year, model: flat, amount: 660}], entitlements: {seats: 200, changes: unlimited}}
addons: {support: {name: Support, prices: [{id: support, name: Support, model: flat, amount: 25}]}}
coupons: {SPRING: {percent: 20, lasts: periods, periods: 3}}
taxes: [{country: FR, percent: 20, name: TVA}, {country: DE, percent: 19, name: MwSt}, {country: "*", percent: 20, name: VAT}]
invoices: {prefix: HF-, credit_prefix: HFC-, digits: 6, due_days: 14, grace: 1h, late: carry}
dunning: {retries: [1d, 3d, 7d, 14d], restrict_after: 14d, end_after: 30d, action: unpaid}
`

// world is the console over real HTTP: people, workspaces, billing and operators in real files, on one clock. What was metered is what the
// test says.
type world struct {
	t       *testing.T
	srv     *httptest.Server
	db      *sql.DB
	people  *identity.Service
	tenants *tenancy.Service
	runners *operator.Service
	bill    *biller.Service
	out     *outbox.Service
	health  []metering.Health

	mu   sync.Mutex
	at   time.Time
	used map[string]int64 // tenant/month/meter
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (w *world) now() time.Time { w.mu.Lock(); defer w.mu.Unlock(); return w.at }

func (w *world) Touched() map[id.ID]bool { return nil }

// Parts is what metering says.
func (w *world) Parts(_ context.Context, tenant id.ID, month time.Time) (out []metering.Part, asOf time.Time, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, m := range []string{"changes", "api-calls"} {
		out = append(out, metering.Part{Meter: m, Quantity: w.used[string(tenant)+month.Format("2006-01")+m]})
	}
	return out, w.at, nil
}

// Totals and Health are what metering says to operators.
func (w *world) Totals(context.Context, time.Time) ([]metering.Total, error) {
	return []metering.Total{{Meter: "api-calls", Unit: "calls", Quantity: 48210}, {Meter: "changes", Unit: "changes", Quantity: 12_406_113}, {Meter: "storage-bytes", Unit: "bytes", Quantity: 81_220_112_004}}, nil
}

func (w *world) Health(context.Context) ([]metering.Health, error) { return w.health, nil }

func newWorld(t *testing.T, start time.Time) *world {
	t.Helper()
	w := &world{t: t, at: start, used: map[string]int64{}}
	dir, log := t.TempDir(), slog.New(slog.DiscardHandler)
	must(t, os.WriteFile(filepath.Join(dir, biller.CatalogFile), []byte(shop), 0o600))
	var err error
	w.db, err = hubdb.Open(t.Context(), dir)
	must(t, err)
	t.Cleanup(func() { w.db.Close() })
	w.tenants = tenancy.New(tenancy.Config{DB: w.db, Now: w.now, Rand: rand.Reader, Log: log})
	w.runners = operator.New(operator.Config{DB: w.db, Now: w.now, Rand: rand.Reader, Log: log})
	w.srv = httptest.NewUnstartedServer(nil)
	w.srv.Start()
	t.Cleanup(w.srv.Close)
	w.people = identity.New(identity.Config{DB: w.db, RPID: "localhost", RPName: "Holdfast", Origins: []string{w.origin()}, Now: w.now, Rand: rand.Reader, Log: log,
		Changed: func() {}, Renamed: func(context.Context, *sql.Tx, identity.Person) error { return nil }})
	must(t, w.people.Open(t.Context()))
	t.Cleanup(w.people.Close)
	w.bill = biller.New(biller.Config{Dir: dir, Tenancy: w.tenants, Usage: w, Now: w.now, Log: log})
	must(t, w.bill.Open(t.Context()))
	t.Cleanup(func() { w.bill.Close() })
	w.out = outbox.New(outbox.Config{DB: w.bill.Replies(), Book: w.bill, Webhooks: webhook.NewSender(true), Now: w.now, Rand: rand.Reader, Log: log})
	w.srv.Config.Handler = New(Config{Identity: w.people, Operators: w.runners, Billing: w.bill, Meters: w, Mails: w.out, Origins: []string{w.origin()}, Now: w.now, Log: log})
	return w
}

func (w *world) origin() string { return strings.Replace(w.srv.URL, "127.0.0.1", "localhost", 1) }

func (w *world) person(name string) id.ID {
	p := id.New(w.now(), rand.Reader)
	_, err := w.db.Exec("INSERT INTO person (id, name, created_ms) VALUES (?, ?, 1)", p, name)
	must(w.t, err)
	return p
}

// signIn gives a person's session token.
func (w *world) signIn(person id.ID) string {
	w.t.Helper()
	l, err := w.people.BeginLink(w.t.Context(), identity.Caller{Person: identity.Person{ID: person}})
	must(w.t, err)
	g, err := w.people.FinishLink(w.t.Context(), identity.Visitor{IP: "192.0.2.1"}, l.Code)
	must(w.t, err)
	return g.Token
}

// operator makes a person an operator and gives their token.
func (w *world) operator(name string) string {
	w.t.Helper()
	p := w.person(name)
	l, err := w.runners.Invite(w.t.Context())
	must(w.t, err)
	must(w.t, w.runners.Accept(w.t.Context(), p, l.Code))
	return w.signIn(p)
}

// customer makes a workspace with a way to pay and a plan.
func (w *world) customer(name, card, plan string) id.ID {
	w.t.Helper()
	ctx := w.t.Context()
	tenant, err := w.tenants.Create(ctx, w.person("Owner of "+name), name, "eu")
	must(w.t, err)
	kind := payment.Card
	switch {
	case card == "wire":
		kind = payment.Wire
	case strings.HasPrefix(card, "account"):
		kind = payment.Debit
	}
	_, err = w.bill.Account(ctx, tenant)
	must(w.t, err)
	if card != "" {
		must(w.t, w.bill.SetMethod(ctx, tenant, payment.Method{Kind: kind, Token: card}))
	}
	if plan != "free" {
		must(w.t, w.bill.Do(ctx, tenant, billing.Cancel{Now: true}))
		q := map[string]int64{"seats": 1}
		if plan == "yearly" {
			q = nil
		}
		must(w.t, w.bill.Do(ctx, tenant, billing.Subscribe{Plan: plan, Quantities: q}))
	}
	return tenant
}

// to moves the clock day by day.
func (w *world) to(at time.Time) {
	w.t.Helper()
	for w.now().Before(at) {
		w.mu.Lock()
		if w.at = w.at.AddDate(0, 0, 1); w.at.After(at) {
			w.at = at
		}
		w.mu.Unlock()
		must(w.t, w.bill.Pass(w.t.Context()))
	}
}

// send makes a request as a person; token empty: nobody.
func (w *world) send(token_, method, path string, form url.Values, change ...func(*http.Request)) (*http.Response, string) {
	w.t.Helper()
	r, err := http.NewRequestWithContext(w.t.Context(), method, w.srv.URL+path, strings.NewReader(form.Encode()))
	must(w.t, err)
	if method == http.MethodPost {
		r.Header.Set("Origin", w.origin())
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	if token_ != "" {
		r.AddCookie(&http.Cookie{Name: token.Cookie, Value: token_})
	}
	for _, f := range change {
		f(r)
	}
	resp, err := http.DefaultTransport.RoundTrip(r)
	must(w.t, err)
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	must(w.t, err)
	return resp, string(b)
}

// town is a service that has run for a year: customers in every state.
func town(t *testing.T) (*world, string) {
	w := newWorld(t, time.Date(2026, 1, 12, 9, 0, 0, 0, time.UTC))
	names := []string{"Harbor Studio", "Nordlicht GmbH", "Café Müller", "Ríos & Hijas", "Atelier Lune", "Kestrel Freight", "Blue Finch", "Óðinn Games", "Sakura Labs", "Maple & Sons"}
	cards := []string{"ok", "ok", "account-ok", "wire", "ok", "ok", "fails-once", "ok", "ok", "ok"}
	plans := []string{"team", "business", "team", "yearly", "free", "business", "team", "yearly", "free", "team"}
	var all []id.ID
	for i, n := range names {
		tenant := w.customer(n, cards[i], plans[i])
		all = append(all, tenant)
		for m := range 12 {
			w.used[fmt.Sprintf("%s2026-%02dchanges", tenant, m+1)] = int64(200_000 * (i + 1))
			w.used[fmt.Sprintf("%s2026-%02dapi-calls", tenant, m+1)] = int64(9_000 * (i + 1))
		}
		w.to(w.now().AddDate(0, 0, 19))
	}
	ctx := t.Context()
	must(t, w.bill.SetDetails(ctx, all[1], biller.Details{Name: "Nordlicht GmbH", Address: []string{"Speicherstadt 4", "20457 Hamburg"}, Country: "DE", Email: "rechnung@nordlicht.example"}))
	must(t, w.bill.Do(ctx, all[9], billing.Redeem{Coupon: "SPRING"}))
	must(t, w.bill.Do(ctx, all[1], billing.Give{Amount: 2500, Expires: w.now().AddDate(0, 6, 0)}))
	w.to(time.Date(2026, 10, 20, 9, 0, 0, 0, time.UTC))
	w.customer("Late Payer", "4000000000009995", "team")
	w.customer("Trial & Error", "ok", "business")
	must(t, w.bill.Do(ctx, all[6], billing.Pause{Credit: "balance"}))
	must(t, w.bill.Do(ctx, all[8], billing.Cancel{Now: true}))
	a, err := w.bill.Account(ctx, all[0])
	must(t, err)
	must(t, w.bill.Do(ctx, all[0], billing.CreditInvoice{Invoice: a.Invoices[3].Number, Gross: 300, Refund: true, Reason: "Two days without service"}))
	must(t, w.bill.SetMethod(ctx, all[5], payment.Method{Kind: payment.Card, Token: "expired-card"}))
	w.to(time.Date(2026, 11, 5, 9, 0, 0, 0, time.UTC))
	w.customer("Fresh Start", "ok", "business")
	w.health = []metering.Health{{Region: "eu", Watermark: 48211, ReadMS: w.now().Add(-3 * time.Second).UnixMilli(), Current: true, AsOf: w.now()},
		{Region: "us", Watermark: 20881, ReadMS: w.now().Add(-9 * time.Minute).UnixMilli(), Aside: 2, Epoch: 1, AsOf: w.now().Add(-8 * time.Minute)}}
	return w, w.operator("Olga Operator")
}
