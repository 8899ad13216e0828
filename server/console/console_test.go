package console

import (
	"fmt"
	"html"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"holdfast/server/biller"
	"holdfast/server/billing"
	"holdfast/server/invoice"
	"holdfast/server/payment"
	"holdfast/sync/id"
)

var everyPage = []string{"", "/customers", "/subscriptions", "/subscriptions/move?plan=team", "/payments", "/revenue", "/meters", "/catalogue", "/reconciliation", "/audit"}

// Whoever is no operator gets at every address, by every method, what an address that does not exist answers.
func TestOnlyOperatorsFindAnything(t *testing.T) {
	w := newWorld(t, time.Date(2026, 11, 5, 9, 0, 0, 0, time.UTC))
	tenant := w.customer("Harbor", "ok", "team")
	ana, was := w.signIn(w.person("Ana")), w.operator("Former")
	must(t, func() error {
		list, err := w.runners.List(t.Context())
		if err == nil {
			err = w.runners.Remove(t.Context(), list[0].ID)
		}
		return err
	}())
	_, want := w.send("", "GET", "/nowhere", nil)
	paths := append([]string{"/customers/" + string(tenant), "/customers/" + string(tenant) + "/do/credit", "/customers/" + string(tenant) + "/documents/HF-000001", "/revenue/revenue.csv", "/revenue/journal-2026-11.csv",
		"/accept/abc", "/nowhere"}, everyPage...)
	for who, session := range map[string]string{"nobody": "", "member": ana, "who-was-removed": was, "forged": "x.y.z"} {
		for _, p := range paths {
			for _, m := range []string{"GET", "POST"} {
				r, body := w.send(session, m, prefix+p, url.Values{"amount": {"5"}, "text": {"x"}})
				if m == "POST" && r.StatusCode == http.StatusMethodNotAllowed {
					continue // as at any address that is only read
				}
				if r.StatusCode != http.StatusNotFound || body != want {
					t.Errorf("%s %s as %s: %d %.200s", m, p, who, r.StatusCode, said(body))
				}
			}
		}
	}
	a, err := w.bill.Account(t.Context(), tenant)
	must(t, err)
	if len(a.Credits) != 0 {
		t.Errorf("%+v", a.Credits)
	}
}

func TestALinkMakesAnOperatorOnce(t *testing.T) {
	w := newWorld(t, time.Date(2026, 11, 5, 9, 0, 0, 0, time.UTC))
	l, err := w.runners.Invite(t.Context())
	must(t, err)
	path := "/operator/accept/" + l.Code
	if r, body := w.send("", "GET", path, nil); r.StatusCode != http.StatusOK || !strings.Contains(body, "Sign in first") {
		t.Errorf("%d %s", r.StatusCode, said(body))
	}
	ana := w.signIn(w.person("Ana"))
	if _, body := w.send(ana, "GET", path, nil); !strings.Contains(body, "Continue as Ana") {
		t.Errorf("%s", said(body))
	}
	foreign := func(r *http.Request) { r.Header.Set("Origin", "https://evil.example") }
	if r, _ := w.send(ana, "POST", path, nil, foreign); r.StatusCode == http.StatusSeeOther {
		t.Error("another site made her an operator")
	}
	if r, _ := w.send(ana, "POST", path, nil); r.StatusCode != http.StatusSeeOther || r.Header.Get("Location") != prefix {
		t.Errorf("%d", r.StatusCode)
	}
	if r, _ := w.send(ana, "GET", prefix, nil); r.StatusCode != http.StatusOK {
		t.Errorf("the console answers %d", r.StatusCode)
	}
	if r, _ := w.send(ana, "GET", path, nil); r.StatusCode != http.StatusNotFound {
		t.Errorf("a used link answers %d", r.StatusCode)
	}
}

func TestEveryPageAnswers(t *testing.T) {
	w, session := town(t)
	paths := everyPage
	for _, a := range w.bill.Accounts() {
		paths = append(paths, customerHref(a.ID)[len(prefix):], customerHref(a.ID)[len(prefix):]+"?all=1")
		for _, x := range actions {
			q := ""
			if x.Invoice {
				if len(a.Invoices) == 0 {
					continue
				}
				q = "?invoice=" + a.Invoices[0].Number
			}
			paths = append(paths, customerHref(a.ID)[len(prefix):]+"/do/"+x.Name+q)
		}
	}
	for _, p := range paths {
		r, body := w.send(session, "GET", prefix+p, nil)
		refused := r.StatusCode == http.StatusUnprocessableEntity && strings.Contains(p, "/do/") // it cannot be done now, which the page says
		if r.StatusCode != http.StatusOK && !refused || !strings.Contains(body, "</html>") {
			t.Errorf("%s: %d %s", p, r.StatusCode, said(body))
		}
		if h := r.Header; h.Get("Cache-Control") != "no-store" || !strings.Contains(h.Get("Content-Security-Policy"), "default-src 'none'") || strings.Contains(body, "style=") || strings.Contains(body, "onclick") {
			t.Errorf("%s: %v", p, h)
		}
	}
}

var tags = regexp.MustCompile(`(?s)<[^>]*>`)

// said is what a page says, without its head, navigation and markup.
func said(body string) string {
	_, main, ok := strings.Cut(body, "<main")
	if !ok {
		return body
	}
	return strings.Join(strings.Fields(html.UnescapeString(tags.ReplaceAllString("<"+main, " "))), " ")
}

var hidden = regexp.MustCompile(`<input type="hidden" name="([^"]+)" value="([^"]*)">`)

// confirm reads the form that does what is shown.
func confirm(t *testing.T, body string) url.Values {
	t.Helper()
	_, form, ok := strings.Cut(body, `method="post"`)
	if !ok {
		t.Fatalf("nothing can be confirmed: %s", said(body))
	}
	out := url.Values{}
	for _, m := range hidden.FindAllStringSubmatch(form, -1) {
		out.Set(m[1], html.UnescapeString(m[2]))
	}
	return out
}

func TestAnActionIsShownThenDoneOnceAndWrittenDown(t *testing.T) {
	w := newWorld(t, time.Date(2026, 11, 5, 9, 0, 0, 0, time.UTC))
	tenant := w.customer("Harbor", "ok", "team")
	session := w.operator("Olga")
	path := customerHref(string(tenant)) + "/do/credit"
	_, body := w.send(session, "GET", path+"?show=1&amount=25.00&until=", nil)
	if !strings.Contains(body, "25.00 EUR") || !strings.Contains(body, "What happens") {
		t.Fatalf("%s", said(body))
	}
	form := confirm(t, body)
	foreign := func(r *http.Request) { r.Header.Set("Origin", "https://evil.example") }
	if r, _ := w.send(session, "POST", path, form, foreign); r.StatusCode != http.StatusForbidden {
		t.Errorf("from another site: %d", r.StatusCode)
	}
	for range 3 {
		if r, _ := w.send(session, "POST", path, form); r.StatusCode != http.StatusSeeOther {
			t.Fatalf("%d", r.StatusCode)
		}
	}
	a, err := w.bill.Account(t.Context(), tenant)
	must(t, err)
	if len(a.Credits) != 1 || a.Credits[0].Amount != 2500 {
		t.Errorf("%+v", a.Credits)
	}
	entries, err := w.runners.Entries(t.Context(), string(tenant), 0, 10)
	must(t, err)
	if len(entries) != 1 || entries[0].Name != "Olga" || entries[0].Action != "credit.give" || entries[0].Detail != "amount 25.00" {
		t.Errorf("%+v", entries)
	}
	form = confirm(t, body) // what is sent with other fields than were shown is shown anew
	form.Set("once", strings.Repeat("0", 2*onceBytes))
	form.Set("amount", "2500.00")
	if r, body := w.send(session, "POST", path, form); r.StatusCode != http.StatusOK || !strings.Contains(body, "Something changed") {
		t.Errorf("%d %s", r.StatusCode, said(body))
	}
}

// What was written to a customer can be read, also of a test clock, and by no other customer's address.
func TestMailsToACustomerAreRead(t *testing.T) {
	w := newWorld(t, time.Date(2026, 11, 5, 9, 0, 0, 0, time.UTC))
	tenant, other := w.customer("Harbor", "", "free"), w.customer("Other", "", "free")
	session, path := w.operator("Olga"), customerHref(string(tenant))
	must(t, w.bill.SetDetails(t.Context(), tenant, biller.Details{Name: "Harbor", Country: "FR", Email: "pay@harbor.example"}))
	_, err := w.bill.StartTestClock(t.Context(), tenant, time.Time{})
	must(t, err)
	must(t, w.bill.SetMethod(t.Context(), tenant, payment.Method{Kind: payment.Card, Token: "generic-decline"}))
	must(t, w.bill.ChangePlan(t.Context(), tenant, "team"))
	_, err = w.bill.AdvanceTestClock(t.Context(), tenant, w.now().AddDate(0, 1, 0))
	must(t, err)
	must(t, w.out.Pass(t.Context()))
	_, body := w.send(session, "GET", path, nil)
	if text := said(body); !strings.Contains(text, "Account restricted of a test clock pay@harbor.example Kept It is of a test clock, so it is not sent.") {
		t.Errorf("%s", text)
	}
	link := regexp.MustCompile(`href="([^"]+/mails/\d+)"`).FindStringSubmatch(body)
	if link == nil {
		t.Fatal("no mail is linked")
	}
	_, body = w.send(session, "GET", link[1], nil)
	if text := said(body); !strings.Contains(text, "[Test] ") || !strings.Contains(text, "This is a test") {
		t.Errorf("%s", text)
	}
	for _, wrong := range []string{strings.Replace(link[1], string(tenant), string(other), 1), path + "/mails/999999", path + "/mails/x"} {
		if r, body := w.send(session, "GET", wrong, nil); r.StatusCode != http.StatusNotFound {
			t.Errorf("%s: %d %s", wrong, r.StatusCode, said(body))
		}
	}
}

// A limit is changed for one customer with a reason, as it was shown, and taken back.
func TestALimitIsChangedForOneCustomer(t *testing.T) {
	w := newWorld(t, time.Date(2026, 11, 5, 9, 0, 0, 0, time.UTC))
	tenant := w.customer("Harbor", "ok", "team")
	session, path := w.operator("Olga"), customerHref(string(tenant))
	_, body := w.send(session, "GET", path+"/do/limit?show=1&feature=seats&value=1,200&until=2026-12-31&reason=a+pilot", nil)
	if text := said(body); !strings.Contains(text, "Seats as in the plan 1,200 until 31 December 2026") {
		t.Fatalf("%s", text)
	}
	if r, _ := w.send(session, "POST", path+"/do/limit", confirm(t, body)); r.StatusCode != http.StatusSeeOther {
		t.Fatalf("%d", r.StatusCode)
	}
	_, body = w.send(session, "GET", path, nil)
	if text := said(body); !strings.Contains(text, "1,200 not as in the plan, until 31 December 2026: a pilot") {
		t.Errorf("%s", text)
	}
	list, err := w.bill.Entitlements(tenant)
	must(t, err)
	if list[0].Limit.Text(0) != "1200" || !list[0].Override.Until.Equal(time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)) {
		t.Errorf("%+v", list[0])
	}
	for what, query := range map[string]string{"no reason": "feature=seats&value=5", "negative": "feature=seats&value=-5&reason=x", "no feature": "feature=wings&value=5&reason=x", "over": "feature=seats&value=5&reason=x&until=2020-01-01"} {
		if r, body := w.send(session, "GET", path+"/do/limit?show=1&"+query, nil); r.StatusCode != http.StatusUnprocessableEntity || strings.Contains(body, `method="post"`) {
			t.Errorf("%s: %d %s", what, r.StatusCode, said(body))
		}
	}
	_, body = w.send(session, "GET", path+"/do/unlimit?show=1&feature=seats", nil)
	if r, _ := w.send(session, "POST", path+"/do/unlimit", confirm(t, body)); r.StatusCode != http.StatusSeeOther {
		t.Errorf("%d", r.StatusCode)
	}
	entries, err := w.runners.Entries(t.Context(), string(tenant), 0, 10)
	must(t, err)
	if len(entries) != 2 || entries[0].Action != "entitlement.end" || entries[1].Detail != "feature seats, value 1,200, until 2026-12-31, reason a pilot" {
		t.Errorf("%+v", entries)
	}
}

// Every action that moves money does what it showed: the figures of the page before are those of the account after.
func TestActionsDoWhatTheyShow(t *testing.T) {
	w := newWorld(t, time.Date(2026, 10, 5, 9, 0, 0, 0, time.UTC))
	session := w.operator("Olga")
	card, wire, trial := w.customer("Card", "ok", "team"), w.customer("Wire", "wire", "team"), w.customer("Trial", "ok", "business")
	number := func(tenant id.ID) string {
		a, err := w.bill.Account(t.Context(), tenant)
		must(t, err)
		return a.Invoices[0].Number
	}
	do := func(tenant id.ID, what, query string, shows ...string) *billing.Account {
		t.Helper()
		path := customerHref(string(tenant)) + "/do/" + what
		_, body := w.send(session, "GET", path+"?show=1&"+query, nil)
		for _, s := range shows {
			if !strings.Contains(body, s) {
				t.Errorf("%s does not show %q: %s", what, s, said(body))
			}
		}
		if r, answer := w.send(session, "POST", path, confirm(t, body)); r.StatusCode != http.StatusSeeOther || r.Header.Get("Location") != customerHref(string(tenant))+"?done="+what {
			t.Fatalf("%s: %d %s", what, r.StatusCode, said(answer))
		}
		a, err := w.bill.Account(t.Context(), tenant)
		must(t, err)
		return a
	}
	if a := do(trial, "trial", "until=2026-11-30", "1 December 2026"); a.Sub().TrialEnd.Format(time.DateOnly) != "2026-12-01" {
		t.Errorf("the trial ends %s", a.Sub().TrialEnd)
	}
	if a := do(card, "note", "invoice="+number(card)+"&amount=1.20&to=refund&reason=sorry", "A credit note over 1.20 EUR", "Paid back"); a.Notes[0].ToRefund != 120 {
		t.Errorf("%+v", a.Notes)
	}
	if a := do(card, "plan", "plan=business&when=now", "A new invoice over", "Business, version 1"); a.Sub().Plan != "business" {
		t.Errorf("%s", a.Sub().Plan)
	}
	if a := do(card, "pause", "until=2026-10-20&credit=balance", "Paused", "21 October 2026"); a.Sub().Status != billing.Paused {
		t.Errorf("%s", a.Sub().Status)
	}
	if a := do(card, "resume", ""); a.Sub().Status != billing.Active {
		t.Errorf("%s", a.Sub().Status)
	}
	if a := do(card, "cancel", "when=end&reason=asked", "1 November 2026"); a.Sub().Ends.IsZero() || a.Sub().Reason != "asked" {
		t.Errorf("%+v", a.Sub())
	}
	if a := do(card, "stay", ""); !a.Sub().Ends.IsZero() {
		t.Errorf("%+v", a.Sub())
	}
	if a := do(card, "cancel", "when=now&credit=refund", "Cancelled"); a.Sub().Status != billing.Cancelled {
		t.Errorf("%s", a.Sub().Status)
	}
	do(card, "reactivate", "", "A new invoice over")
	if a := do(wire, "transfer", "invoice="+number(wire)+"&amount=5&reference=F1", "Owed"); a.Payments[0].Amount != 500 {
		t.Errorf("%+v", a.Payments)
	}
	if a := do(wire, "uncollectible", "invoice="+number(wire), "Uncollectible"); a.Invoices[0].State != invoice.Uncollectible {
		t.Errorf("%s", a.Invoices[0].State)
	}
	w.to(time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC))
	a, err := w.bill.Account(t.Context(), wire)
	must(t, err)
	if a = do(wire, "void", "invoice="+a.Invoices[1].Number, "Void"); a.Invoices[1].State != invoice.Void {
		t.Errorf("%s", a.Invoices[1].State)
	}
	for _, tenant := range []id.ID{card, wire, trial} {
		_, body := w.send(session, "GET", customerHref(string(tenant)), nil)
		if !strings.Contains(body, "By operators") {
			t.Errorf("%s", said(body))
		}
	}
	list, err := w.bill.Reconcile(t.Context())
	must(t, err)
	if len(list) > 0 {
		t.Errorf("%+v", list)
	}
}

func TestBadFormsChangeNothingAndSayWhy(t *testing.T) {
	w := newWorld(t, time.Date(2026, 11, 5, 9, 0, 0, 0, time.UTC))
	tenant := w.customer("Harbor", "ok", "team")
	session := w.operator("Olga")
	a, err := w.bill.Account(t.Context(), tenant)
	must(t, err)
	number := a.Invoices[0].Number
	for path, why := range map[string]string{"credit?show=1&amount=lots": "lots", "credit?show=1&amount=-5": "above zero", "credit?show=1&amount=1&until=soon": "2026-11-30", "credit?show=1&amount=1&until=2026-01-01": "expired",
		"note?show=1&amount=900&reason=x&invoice=" + number: "more than what is left", "plan?show=1&plan=gold": "no plan", "plan?show=1&plan=team": "already", "resume": "not paused", "trial?show=1&until=2027-01-01": "no trial",
		"transfer?show=1&amount=1&reference=&invoice=" + number: "reference", "void?invoice=" + number: "cannot be made void", "void?invoice=HF-999999": "no such invoice", "dance": "no such action"} {
		r, body := w.send(session, "GET", customerHref(string(tenant))+"/do/"+path, nil)
		if r.StatusCode/100 != 4 || !strings.Contains(strings.ToLower(said(body)), why) {
			t.Errorf("%s: %d, and does not say %q: %s", path, r.StatusCode, why, said(body))
		}
	}
	r, _ := w.send(session, "POST", customerHref(string(tenant))+"/do/credit", url.Values{"amount": {"5"}})
	if r.StatusCode != http.StatusBadRequest {
		t.Errorf("without having been shown: %d", r.StatusCode)
	}
	after, err := w.bill.Account(t.Context(), tenant)
	must(t, err)
	if len(after.Credits) != 0 || len(after.Notes) != 0 || after.Sub().Seq != a.Sub().Seq {
		t.Error("something changed")
	}
}

func TestTheCatalogueIsPlannedAndApplied(t *testing.T) {
	w := newWorld(t, time.Date(2026, 11, 5, 9, 0, 0, 0, time.UTC))
	w.customer("Harbor", "ok", "team")
	session := w.operator("Olga")
	plan := func(text string) (int, string) {
		r, body := w.send(session, "POST", prefix+"/catalogue", url.Values{"text": {text}})
		return r.StatusCode, body
	}
	if status, body := plan(strings.Replace(shop, "currency: EUR", "currency: NUTS", 1)); status != http.StatusUnprocessableEntity || !strings.Contains(body, "line 3") {
		t.Errorf("%d %s", status, said(body))
	}
	if status, body := plan(strings.Replace(shop, "amount: 7}", "amount: 8}", 1)); status != http.StatusUnprocessableEntity || !strings.Contains(body, "Refused") {
		t.Errorf("%d %s", status, said(body))
	}
	_, body := plan(strings.Replace(shop, "SPRING:", "AUTUMN: {percent: 5, lasts: once}, SPRING:", 1))
	form := confirm(t, body)
	if r, body := w.send(session, "POST", prefix+"/catalogue/apply", form); r.StatusCode != http.StatusSeeOther {
		t.Fatalf("%d %s", r.StatusCode, said(body))
	}
	if _, err := w.bill.Catalog().Coupon("AUTUMN"); err != nil {
		t.Error(err)
	}
	if list, err := w.runners.Entries(t.Context(), "", 0, 1); err != nil || list[0].Action != "catalogue.apply" || !strings.Contains(list[0].Detail, "AUTUMN") {
		t.Errorf("%+v %v", list, err)
	}
}

func TestSubscribersOfOldVersionsAreMoved(t *testing.T) {
	w, session := town(t)
	_, body := w.send(session, "GET", prefix+"/subscriptions", nil)
	if !strings.Contains(body, moveHref("team")) || strings.Contains(body, moveHref("business")) {
		t.Fatalf("%s", said(body))
	}
	on := func(version int) (n int) {
		for _, a := range w.bill.Accounts() {
			if s := a.Sub(); s.Live() && s.Plan == "team" && s.Items[0].Version == version {
				n++
			}
		}
		return n
	}
	old := on(1)
	_, body = w.send(session, "GET", moveHref("team")+"&when=now", nil)
	if !strings.Contains(said(body), count(old, "subscriber", "subscribers")) || !strings.Contains(body, "Harbor Studio") {
		t.Errorf("%d are on version 1: %s", old, said(body))
	}
	form := confirm(t, body)
	form.Set("print", "other")
	if r, body := w.send(session, "POST", prefix+"/subscriptions/move", form); r.StatusCode != http.StatusConflict || on(1) != old {
		t.Errorf("%d %s", r.StatusCode, said(body))
	}
	if r, body := w.send(session, "POST", prefix+"/subscriptions/move", confirm(t, body)); r.StatusCode != http.StatusSeeOther {
		t.Errorf("%d %s", r.StatusCode, said(body))
	}
	_, body = w.send(session, "GET", moveHref("team")+"&when=now", nil)
	stay := strings.Count(body, ">Stays<")
	if on(1) != stay || on(1) == old {
		t.Errorf("%d of %d are still on version 1, %d of them have a reason", on(1), old, stay)
	}
	list, err := w.runners.Entries(t.Context(), "", 0, 1)
	must(t, err)
	if list[0].Action != "plan.migrate" || list[0].Name != "Olga Operator" {
		t.Errorf("%+v", list)
	}
}

// The journal of all months together has every booking once, and each month sums to zero.
func TestTheJournalIsWhole(t *testing.T) {
	w, session := town(t)
	rows := 0
	for m := 1; m <= 12; m++ {
		r, body := w.send(session, "GET", fmt.Sprintf("%s/revenue/journal-2026-%02d.csv", prefix, m), nil)
		if r.StatusCode != http.StatusOK || !strings.HasPrefix(r.Header.Get("Content-Type"), "text/csv") || !strings.HasPrefix(body, "key,booked,") {
			t.Fatalf("%d %s", r.StatusCode, said(body))
		}
		rows += strings.Count(body, "\n") - 1
	}
	want := 0
	for _, b := range w.bill.Books() {
		for _, x := range b.Txs() {
			want += len(x.Entries)
		}
	}
	if rows != want {
		t.Errorf("%d rows, want %d", rows, want)
	}
	for _, f := range []string{"journal-2026-13.csv", "journal-.csv", "journal-2026-11-x.csv", "passwords.csv", "journal-2026-11-0.csv"} {
		if r, _ := w.send(session, "GET", prefix+"/revenue/"+f, nil); r.StatusCode != http.StatusNotFound {
			t.Errorf("%s: %d", f, r.StatusCode)
		}
	}
}

// Pages of ten thousand customers have each of them once, whatever the filter.
func TestTenThousandCustomersByPages(t *testing.T) {
	var all []*billing.Account
	for n := range 10_000 {
		a := &billing.Account{Customer: billing.Customer{ID: fmt.Sprintf("c%05d", n), Name: fmt.Sprintf("Customer %d", n), Currency: "EUR"}}
		plan, status := []string{"free", "team", "business"}[n%3], billing.Active
		if n%7 == 0 {
			status = billing.Cancelled
		}
		a.Subs = []billing.Sub{{ID: "s", Plan: plan, Status: status}}
		all = append(all, a)
	}
	for name, c := range map[string]struct {
		f    filter
		want int
	}{"all": {filter{}, 10_000}, "plan": {filter{Plan: "team"}, 3333}, "state": {filter{State: "cancelled"}, 1429}, "text": {filter{Text: "customer 99"}, 111}, "none": {filter{Text: "zebra"}, 0}} {
		seen := map[string]bool{}
		for f := c.f; ; {
			list, next, err := pageOf(all, f, rowsMax)
			must(t, err)
			for _, a := range list {
				if seen[a.ID] || !f.takes(a) {
					t.Errorf("%s: %s twice, or wrongly", name, a.ID)
				}
				seen[a.ID] = true
			}
			if f.After = next; next == "" {
				break
			}
		}
		if len(seen) != c.want {
			t.Errorf("%s: %d, want %d", name, len(seen), c.want)
		}
	}
	if _, _, err := pageOf(all, filter{After: "gone"}, rowsMax); err == nil {
		t.Error("a page after a customer that is gone")
	}
}
