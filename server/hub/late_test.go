package hub

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"holdfast/server/biller"
)

// program is a customer's own, with a key, at a hub whose clock the test moves.
type program struct {
	*edge
	at   string
	key  string
	sent int
	late atomic.Int64 // nanoseconds by which the hub's clock is ahead of ours
}

func newProgram(t *testing.T, catalog string) *program {
	t.Helper()
	p := &program{}
	dir := t.TempDir()
	must(t, os.WriteFile(filepath.Join(dir, biller.CatalogFile), []byte(catalog), 0o600))
	begin := time.Date(2026, 11, 10, 9, 0, 0, 0, time.UTC)
	p.late.Store(int64(begin.Sub(time.Now())))
	h := New(Config{DataDir: dir, LeafListen: "127.0.0.1:0", LeafSecret: "s", RPID: "localhost", Origins: []string{origin}, Now: p.now})
	must(t, h.Open(t.Context()))
	t.Cleanup(func() { h.Close(t.Context()) })
	p.edge = newEdge(t, h.LeafAddr())
	p.signUp()
	ws := p.workspace("Acme")
	var made struct{ Text string }
	must(t, json.Unmarshal([]byte(p.ok("POST", "/api/workspaces/"+string(ws)+"/keys", `{"name":"Shop","scopes":["events:write","billing:write"]}`)), &made))
	p.at, p.key, p.cook = "/api/v1/workspaces/"+string(ws), made.Text, ""
	p.do("PUT", "/methods", `{"methods":[{"kind":"card","token":"ok"}]}`)
	p.do("POST", "/subscription/change", `{"plan":"pro"}`)
	return p
}

func (p *program) now() time.Time    { return time.Now().Add(time.Duration(p.late.Load())) }
func (p *program) to(then time.Time) { p.late.Store(int64(time.Until(then))) }

func (p *program) do(method, path, body string) string {
	p.t.Helper()
	p.sent++
	status, _, answer := p.raw(method, p.at+path, body, func(r *http.Request) {
		r.Header.Set("Authorization", "Bearer "+p.key)
		r.Header.Set("Idempotency-Key", fmt.Sprint("k", p.sent))
	})
	if status != 200 {
		p.t.Fatalf("%s %s: %d %s", method, path, status, answer)
	}
	return answer
}

// count sends one event and gives what became of it.
func (p *program) count(event string) string {
	p.t.Helper()
	var out []struct {
		Status string
		Error  struct{ Detail string }
	}
	must(p.t, json.Unmarshal([]byte(p.do("POST", "/events", "["+event+"]")), &out))
	return strings.TrimSpace(out[0].Status + " " + out[0].Error.Detail)
}

type billNow struct {
	Usage []struct {
		Meter string
		Used  int64
	}
	Upcoming *struct {
		Net   string
		Lines []struct{ Name, Quantity, Amount string }
	}
	Invoices []struct{ Number, State, Total string }
	Notices  []struct{ Kind, Text string }
}

func (p *program) bill() (b billNow) {
	p.t.Helper()
	must(p.t, json.Unmarshal([]byte(p.do("GET", "/billing", "")), &b))
	return b
}

func (b billNow) used(meter string) int64 {
	for _, u := range b.Usage {
		if u.Meter == meter {
			return u.Used
		}
	}
	return -1
}

func (b billNow) line(name string) string {
	if b.Upcoming != nil {
		for _, l := range b.Upcoming.Lines {
			if strings.Contains(l.Name, name) {
				return l.Quantity + " " + l.Amount
			}
		}
	}
	return ""
}

func mails(id, at, more string, n int) string {
	return fmt.Sprintf(`{"specversion":"1.0","id":%q,"source":"shop","type":"mails","time":%q,"data":{"value":"%d"}%s}`, id, at, n, more)
}

// BM4: an event of a closed month is on the next invoice, a correction takes the place of what it corrects wherever that was billed, and what
// is too old is refused. Everything by REST, and what is seen as usage is what is billed (BM5).
func TestLateAndCorrectedEvents(t *testing.T) {
	p := newProgram(t, restShop)
	p.to(time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC))
	if got := p.count(mails("a", "2026-11-12T08:00:00Z", "", 500)); got != "counted" {
		t.Fatal(got)
	}
	if b := p.bill(); b.used("mails") != 500 || b.line("mails") != "500 10.00 EUR" {
		t.Fatalf("%s", p.do("GET", "/billing", ""))
	}
	if got := p.count(mails("a2", "2026-11-12T08:00:00Z", `,"replaces":"a"`, 300)); got != "counted" {
		t.Fatal(got)
	}
	if got := p.count(mails("a", "2026-11-12T08:00:00Z", "", 500)); got != "repeated" {
		t.Error(got)
	}
	if b := p.bill(); b.used("mails") != 300 || b.line("mails") != "300 6.00 EUR" {
		t.Errorf("corrected: %+v", b)
	}

	p.to(time.Date(2026, 12, 3, 9, 0, 0, 0, time.UTC))
	b := p.bill()
	if len(b.Invoices) != 2 || b.used("mails") != 0 || b.line("mails") != "" && !strings.HasPrefix(b.line("mails"), "0 ") {
		t.Fatalf("November is closed: %s", p.do("GET", "/billing", ""))
	}
	if got := p.count(mails("b", "2026-11-20T08:00:00Z", "", 100)); got != "counted" {
		t.Error(got)
	}
	if got := p.count(mails("c", "2026-12-02T08:00:00Z", "", 50)); got != "counted" {
		t.Error(got)
	}
	if b := p.bill(); b.used("mails") != 50 {
		t.Errorf("what is late is no use of December: %+v", b.Usage)
	}
	if got := p.count(mails("old", "2026-09-20T08:00:00Z", "", 1)); !strings.HasPrefix(got, "refused") || !strings.Contains(got, "older than 62 days") {
		t.Error(got)
	}
	if got := p.count(mails("early", "2026-12-05T08:00:00Z", "", 1)); !strings.HasPrefix(got, "refused") || !strings.Contains(got, "future") {
		t.Error(got)
	}
	// November was 300 and becomes 100 + 100: 100 mails, 2.00, go back.
	if got := p.count(mails("a3", "2026-11-12T08:00:00Z", `,"replaces":"a"`, 100)); got != "counted" {
		t.Error(got)
	}

	p.to(time.Date(2027, 1, 3, 9, 0, 0, 0, time.UTC))
	p.documents("paid 31.00 EUR|credit note -2.00 EUR|paid 36.00 EUR|paid 20.62 EUR|")

	// More of December, heard in January, is on the next invoice.
	if got := p.count(mails("d", "2026-12-20T08:00:00Z", "", 150)); got != "counted" {
		t.Error(got)
	}
	p.to(time.Date(2027, 2, 3, 9, 0, 0, 0, time.UTC))
	p.documents("paid 33.00 EUR|paid 31.00 EUR|credit note -2.00 EUR|paid 36.00 EUR|paid 20.62 EUR|")
}

// documents wants these invoices and credit notes, the newest first.
func (p *program) documents(want string) {
	p.t.Helper()
	got := ""
	for _, v := range p.bill().Invoices {
		got += v.State + " " + v.Total + "|"
	}
	if got != want {
		p.t.Errorf("got  %s\nwant %s", got, want)
	}
}

const allMeters = `
currency: EUR
align: calendar
meters:
  sent: {event: mails, aggregate: sum}
  batches: {event: mails, aggregate: count}
  people: {event: mails, aggregate: unique, value: to}
  least: {event: mails, aggregate: min}
  most: {event: mails, aggregate: max}
  middle: {event: mails, aggregate: average}
  last: {event: mails, aggregate: latest}
  news: {event: mails, aggregate: sum, filter: {kind: [news, offer]}}
  since: {event: mails, aggregate: sum, from: 2026-11-12}
  level: {event: level, aggregate: weighted}
  changes: {aggregate: sum}
  changes-eu: {event: changes, aggregate: sum, group_by: [region], filter: {region: [eu]}}
  seats: {aggregate: max}
features:
  mails: {name: Mails, type: metered, meter: sent}
plans:
  free: {prices: [{id: base, model: flat, amount: 0}]}
  pro:
    prices:
      - {id: base, model: flat, amount: 30}
      - {id: news, model: per_unit, meter: news, amount: 1}
      - {id: people, model: per_unit, meter: people, amount: 0.5}
    entitlements:
      mails: {limit: 100, period: month, soft: true, alerts: [80, 100, 120]}
`

// BM2, BM3, BM5, BM7: meters are data. Each aggregate, a filter, and a day from which a meter counts; what is seen is what the invoice will say; and the
// owner is told at 80, 100 and 120 % of a limit, once each.
func TestEveryAggregate(t *testing.T) {
	p := newProgram(t, allMeters)
	event := func(id, at, typ, data string) {
		t.Helper()
		if got := p.count(fmt.Sprintf(`{"specversion":"1.0","id":%q,"source":"shop","type":%q,"time":%q,"data":%s}`, id, typ, at, data)); got != "counted" {
			t.Fatalf("%s: %s", id, got)
		}
	}
	alerts := func() (n int) {
		for _, x := range p.bill().Notices {
			if x.Kind == "entitlement.alert" {
				n++
			}
		}
		return n
	}
	p.to(time.Date(2026, 11, 20, 10, 0, 0, 0, time.UTC))
	event("1", "2026-11-11T10:00:00Z", "mails", `{"value":"30","to":"ana","kind":"news"}`)
	event("2", "2026-11-13T10:00:00Z", "mails", `{"value":"10","to":"bo","kind":"bill"}`)
	if n := alerts(); n != 0 {
		t.Errorf("%d alerts at 40 %%", n)
	}
	event("3", "2026-11-14T10:00:00Z", "mails", `{"value":"45","to":"ana","kind":"offer"}`)
	if n := alerts(); n != 1 {
		t.Errorf("%d alerts at 85 %%", n)
	}
	event("4", "2026-11-14T11:00:00Z", "mails", `{"value":"38","to":"cy","kind":"bill"}`)
	if n := alerts(); n != 3 {
		t.Errorf("%d alerts at 123 %%", n)
	}
	event("5", "2026-11-12T00:00:00Z", "mails", `{"value":"0","to":"cy","kind":"bill"}`)
	event("6", "2026-11-15T10:00:00Z", "level", `{"value":"620"}`)
	b := p.bill()
	for meter, want := range map[string]int64{"sent": 123, "batches": 5, "people": 3, "least": 0, "most": 45, "middle": 24, "last": 38, "news": 75, "since": 93, "seats": 1} {
		if got := b.used(meter); got != want {
			t.Errorf("%s: got %d, want %d", meter, got, want)
		}
	}
	if level := b.used("level"); level < 140 || level > 160 { // 620 for five of the twenty and a half days since the plan began
		t.Errorf("level: %d", level)
	}
	if n := alerts(); n != 3 {
		t.Errorf("%d alerts, some twice", n)
	}
	if b.line("news") != "75 75.00 EUR" || b.line("people") != "3 1.50 EUR" {
		t.Errorf("%+v", b.Upcoming)
	}
	net := b.Upcoming.Net
	p.to(time.Date(2026, 12, 1, 9, 0, 0, 0, time.UTC))
	if got := p.bill().Invoices[0]; net != "106.50 EUR" || got.Total != net {
		t.Errorf("shown %s, invoiced %+v", net, got)
	}
	for _, bad := range []string{`{"to":"ana"}`, `{"value":"-1","to":"ana"}`, `{"value":"many","to":"ana"}`, `{"value":"1"}`} {
		if got := p.count(`{"specversion":"1.0","id":"bad","source":"shop","type":"mails","data":` + bad + `}`); !strings.HasPrefix(got, "refused ") {
			t.Errorf("%s: %s", bad, got)
		}
	}
	for _, typ := range []string{"changes", "seats", "nothing"} {
		if got := p.count(`{"specversion":"1.0","id":"bad","source":"shop","type":"` + typ + `","data":{"value":"1"}}`); !strings.HasPrefix(got, "refused ") {
			t.Errorf("%s: %s", typ, got)
		}
	}
}
