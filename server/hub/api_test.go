package hub

import (
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"holdfast/sync/guest/guesttest"
)

// GW6: every operation of the API is called over a real hub, and every request and answer fits the API's description.
func TestEveryOperation(t *testing.T) {
	c, ws, all := apiWorld(t)
	behalf := all + "/workspaces/" + ws[strings.LastIndex(ws, "/")+1:]
	for _, at := range []string{ws, behalf} {
		c.life(at)
	}
	c.webhooks(ws)
	c.rules(ws)
	c.operate(all, behalf)
	if list := c.uncalled(); len(list) > 0 {
		t.Errorf("%d operations were not called:\n%s", len(list), strings.Join(list, "\n"))
	}
	t.Logf("%d operations", len(c.ops))
}

// life is what happens to a subscription, from none to none.
func (c *caller) life(at string) {
	t := c.t
	c.do(200, "PUT", at+"/details", `{"name":"Acme SAS","address":["1 rue X","75001 Paris"],"country":"FR","vatID":"FR40303265045","email":"a@example.com"}`)
	c.do(200, "GET", at+"/details", "")
	c.do(200, "PUT", at+"/methods", `{"methods":[{"kind":"card","token":"4242 4242 4242 4242"}]}`)
	if m := c.do(200, "GET", at+"/methods", ""); strings.Contains(m, "4242424242424242") {
		t.Errorf("a card's number is shown: %s", m)
	}
	c.do(200, "POST", at+"/methods/page", "")
	c.do(200, "GET", at+"/plans", "")
	c.do(200, "GET", at+"/upcoming", "")
	if o := c.command(at, "/subscription/change", `{"plan":"pro","when":"now"}`); len(o.Invoices) != 1 || o.Invoices[0].State != "paid" || o.Subscription.Plan != "pro" {
		t.Errorf("%+v", o)
	}
	c.command(at, "/subscription/change", `{"add":"help"}`)
	c.command(at, "/subscription/coupons", `{"coupon":"TEN"}`)
	if o := c.command(at, "/subscription/change", `{"plan":"free","when":"end"}`); len(o.Subscription.Scheduled) != 1 {
		t.Errorf("%+v", o)
	}
	c.command(at, "/subscription/unschedule", "")
	c.command(at, "/subscription/cancel", `{"reason":"why not"}`)
	c.command(at, "/subscription/stay", "")
	c.command(at, "/subscription/pause", `{"credit":"balance"}`)
	c.command(at, "/subscription/resume", `{}`)
	if o := c.command(at, "/subscription/cancel", `{"now":true}`); o.Subscription.Status != "cancelled" || len(o.CreditNotes) == 0 {
		t.Errorf("%+v", o)
	}
	c.command(at, "/subscription/reactivate", `{}`)
	c.command(at, "/subscription/cancel", `{"now":true}`)
	c.command(at, "/subscription/subscribe", `{"plan":"try"}`)
	c.do(200, "GET", at+"/subscription", "")
	c.command(at, "/credits/buy", `{"amount":{"amount":"50.00","currency":"EUR"}}`)
	c.do(200, "PUT", at+"/credits/top-up", `{"rule":{"below":{"amount":"1","currency":"EUR"},"amount":{"amount":"20","currency":"EUR"},"lasts_days":90}}`)
	c.do(200, "PUT", at+"/credits/top-up", `{}`)
	c.do(200, "GET", at+"/credits", "")
	now := time.Now().UTC()
	c.into(new([]any), "GET", fmt.Sprintf("%s/usage?from=%s&until=%s&daily=true", at, now.AddDate(0, 0, -3).Format(time.RFC3339), now.Format(time.RFC3339)), "")
	c.do(200, "GET", at+"/entitlements", "")
	c.do(200, "GET", at+"/payments?limit=2", "")
	c.do(200, "GET", at+"/notices?limit=5", "")
	var notes struct{ Items []struct{ Number string } }
	c.into(&notes, "GET", at+"/credit-notes", "")
	c.do(200, "GET", at+"/credit-notes/"+notes.Items[0].Number, "")
	number := c.pages(at)
	for _, form := range []string{"pdf", "html", "xml"} {
		c.do(200, "GET", at+"/documents/"+number+"?as="+form, "")
	}
	c.do(200, "GET", at+"/documents/"+notes.Items[0].Number, "")
	c.unpaid(at)
	c.command(at, "/subscription/cancel", `{"now":true}`)
	c.command(at, "/subscription/subscribe", `{"plan":"free"}`)
}

// pages reads all invoices two at a time and finds each once; it returns the newest one's number.
func (c *caller) pages(at string) string {
	var whole, page struct {
		Items []struct{ Number string }
		Next  string
	}
	c.into(&whole, "GET", at+"/invoices", "")
	var got []string
	for cursor := ""; ; cursor = page.Next {
		page.Next, page.Items = "", nil
		c.into(&page, "GET", at+"/invoices?limit=2&cursor="+cursor, "")
		for _, v := range page.Items {
			got = append(got, v.Number)
		}
		if page.Next == "" {
			break
		}
	}
	if len(got) != len(whole.Items) || len(got) < 3 || got[0] != whole.Items[0].Number {
		c.t.Errorf("pages hold %v of %d", got, len(whole.Items))
	}
	c.do(200, "GET", at+"/invoices/"+got[0], "")
	return got[0]
}

// unpaid leaves an invoice open and pays it, once by the bank's extra step and once by another card.
func (c *caller) unpaid(at string) {
	buy := `{"amount":{"amount":"5","currency":"EUR"}}`
	c.do(200, "PUT", at+"/methods", `{"methods":[{"kind":"card","token":"4000002760003184"}]}`)
	o := c.command(at, "/credits/buy", buy)
	if v := c.do(200, "GET", at+"/invoices/"+o.Invoices[0].Number, ""); !strings.Contains(v, `"confirm":true`) {
		c.t.Errorf("%s", v)
	}
	c.do(200, "POST", at+"/invoices/"+o.Invoices[0].Number+"/confirm", "")
	c.do(200, "PUT", at+"/methods", `{"methods":[{"kind":"card","token":"4000000000009995"}]}`)
	o = c.command(at, "/credits/buy", buy)
	c.do(200, "POST", at+"/invoices/"+o.Invoices[0].Number+"/pay", "")
	c.do(200, "PUT", at+"/methods", `{"methods":[{"kind":"card","token":"4242424242424242"}]}`)
}

func (c *caller) webhooks(ws string) {
	c.do(200, "POST", ws+"/events", `[{"specversion":"1.0","id":"a","source":"shop","type":"mails","data":{"value":"50"}}]`)
	c.do(200, "GET", ws+"/billing", "")
	var hook struct{ ID string }
	c.into(&hook, "POST", ws+"/webhooks", `{"url":"https://shop.invalid/hook","on":true}`)
	c.do(200, "GET", ws+"/webhooks", "")
	at := ws + "/webhooks/" + hook.ID
	c.do(200, "PUT", at, `{"url":"https://shop.invalid/hook","on":true,"note":"ours"}`)
	c.do(200, "POST", at+"/secret", "")
	c.do(200, "POST", at+"/replay", `{"since":"2020-01-01T00:00:00Z"}`)
	var sent []struct{ ID int64 }
	c.into(&sent, "GET", at+"/deliveries", "")
	if len(sent) > 0 {
		one := fmt.Sprintf("%s/deliveries/%d", at, sent[0].ID)
		c.do(200, "GET", one, "")
		c.do(200, "POST", one+"/resend", "")
	}
	c.do(200, "DELETE", at, "")
}

func (c *caller) rules(ws string) {
	var r struct{ ID string }
	c.into(&r, "POST", ws+"/rules", ruleWish("Never", true, guesttest.Refuse("No.")))
	c.do(200, "GET", ws+"/rules", "")
	c.do(200, "PUT", ws+"/rules/"+r.ID, `{"name":"Sometimes","on":false}`)
	c.do(400, "POST", ws+"/rules", ruleWish("Traps", true, guesttest.Trap()))
	c.do(200, "DELETE", ws+"/rules/"+r.ID, "")
	c.do(404, "DELETE", ws+"/rules/"+r.ID, "")
}

// operate is what operators do.
func (c *caller) operate(all, ws string) {
	t := c.t
	workspace := ws[strings.LastIndex(ws, "/")+1:]
	c.do(200, "GET", all+"/workspaces?search=acme&standing=good&plan=free", "")
	c.do(200, "GET", ws, "")
	c.do(200, "PUT", ws+"/vat", `{"status":"valid"}`)
	c.do(200, "PUT", ws+"/exempt", `{"exempt":false}`)
	c.command(ws, "/entitlements/mails/override", `{"value":"5000","until":"`+time.Now().AddDate(0, 1, 0).UTC().Format(time.RFC3339)+`","reason":"a campaign"}`)
	if e := c.do(200, "GET", ws+"/entitlements", ""); !strings.Contains(e, `"limit":"5000"`) || !strings.Contains(e, `"override":{"since":`) || strings.Contains(e, "campaign") {
		t.Errorf("%s", e)
	}
	c.command(ws, "/entitlements/mails/override/end", "")
	c.command(ws, "/credits/give", `{"amount":{"amount":"3","currency":"EUR"}}`)
	c.command(ws, "/subscription/cancel", `{"now":true}`)
	c.command(ws, "/subscription/subscribe", `{"plan":"try"}`)
	c.command(ws, "/subscription/extend-trial", `{"until":"`+time.Now().AddDate(0, 2, 0).UTC().Format(time.RFC3339)+`"}`)
	c.do(200, "PUT", ws+"/methods", `{"methods":[],"send":true}`)
	charge := func() string {
		return c.command(ws, "/charges", `{"name":"Setup","amount":{"amount":"500","currency":"EUR"},"now":true}`).Invoices[0].Number
	}
	c.command(ws, "/invoices/"+charge()+"/void", "")
	c.command(ws, "/invoices/"+charge()+"/uncollectible", "")
	number := charge()
	c.command(ws, "/invoices/"+number+"/credit", `{"amount":{"amount":"12","currency":"EUR"},"reason":"sorry"}`)
	left := c.do(200, "POST", all+"/transfers", `{"id":"T1","amount":{"amount":"100.00","currency":"EUR"},"reference":"thanks"}`)
	if !strings.Contains(left, `"T1"`) {
		t.Errorf("%s", left)
	}
	c.do(200, "GET", all+"/transfers", "")
	if left := c.do(200, "POST", all+"/transfers/T1/match", `{"workspace":"`+workspace+`","invoice":"`+number+`"}`); left != "[]\n" && left != "[]" {
		t.Errorf("a matched transfer is still there: %s", left)
	}
	c.do(200, "POST", all+"/transfers", `{"id":"T2","amount":{"amount":"10.00","currency":"EUR"},"reference":"re `+number+`"}`)
	c.do(200, "GET", all+"/failed-payments", "")
	c.catalogue(all)
	c.do(200, "GET", all+"/meters", "")
	c.do(200, "GET", all+"/ledger/journal?limit=3&account=cash&workspace="+workspace+"&from="+url.QueryEscape(time.Now().AddDate(0, -1, 0).UTC().Format(time.RFC3339)), "")
	c.do(200, "GET", all+"/ledger/balances", "")
	c.do(200, "GET", all+"/revenue", "")
	for _, table := range []string{"invoices", "invoice-lines", "credit-notes", "payments", "usage", "journal", "revenue"} {
		if text := c.do(200, "GET", all+"/exports/"+table, ""); strings.Count(text, "\n") < 1 || !strings.Contains(strings.SplitN(text, "\n", 2)[0], ",") {
			t.Errorf("%s: %s", table, text)
		}
	}
	if rows := c.do(200, "POST", all+"/reconciliations", ""); !strings.Contains(rows, `"rows":[]`) {
		t.Errorf("after all of this the books do not agree: %s", rows)
	}
	c.do(200, "GET", all+"/reconciliations", "")
	c.do(200, "GET", all+"/differences?since=2026-01-01", "")
	c.clocks(all)
	c.do(200, "GET", all+"/operators", "")
	if log := c.do(200, "GET", all+"/audit?limit=100&subject="+workspace, ""); !strings.Contains(log, "api.operatorVoidInvoice") || strings.Contains(log, "review") || !strings.Contains(log, "mails 5000, until ") || !strings.Contains(log, "reason a campaign") {
		t.Errorf("what was done is not written down, or what was only tried is: %s", log)
	}
}

func (c *caller) catalogue(all string) {
	var now struct{ Text string }
	c.into(&now, "GET", all+"/catalog", "")
	next := fmt.Sprintf("{%q:%q}", "text", now.Text+"  \n# more\n")
	c.do(200, "POST", all+"/catalog/plan", next)
	c.do(200, "PUT", all+"/catalog", next)
	c.do(200, "POST", all+"/catalog/migrate", `{"plan":"free","dry":true}`)
}

// clocks lets a new workspace live on a test clock.
func (c *caller) clocks(all string) {
	ws := c.e.ok("POST", "/api/workspaces", `{"name":"Lab"}`)
	at := all + "/workspaces/" + between(ws, `"id":"`, `"`)
	c.do(200, "PUT", at+"/test-clock", `{"at":"2027-01-31T00:00:00Z"}`)
	c.do(200, "POST", at+"/test-clock/advance", `{"to":"2027-03-01T00:00:00Z"}`)
	c.do(200, "GET", all+"/test-clocks", "")
	c.do(200, "DELETE", at+"/test-clock", "")
}

func between(s, from, to string) string {
	_, s, _ = strings.Cut(s, from)
	s, _, _ = strings.Cut(s, to)
	return s
}
