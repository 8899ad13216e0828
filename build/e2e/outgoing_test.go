package e2e

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	standard "github.com/standard-webhooks/standard-webhooks/libraries/go"
)

// An owner adds a billing e-mail and a webhook, and changes the plan. Their program hears of it and accepts the signatures with the secret that was
// shown once; the page says what was delivered; the operator reads the mail that is kept, because no mail server is set.
func TestWebhookAndMailsOfAChangeOfPlan(t *testing.T) {
	s := start(t, "local")
	var mu sync.Mutex
	var secret, bad string
	heard := 0
	program := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		mu.Lock()
		defer mu.Unlock()
		wh, err := standard.NewWebhook(secret)
		if err == nil {
			err = wh.Verify(b, r.Header)
		}
		if err != nil {
			bad += err.Error() + " "
		}
		if strings.Contains(string(b), `"type":"invoice.paid"`) {
			heard++
		}
	}))
	t.Cleanup(program.Close)
	ana, g := newPerson(t, "ana", s.url(0))
	ana.Allow("400") // two entries are refused
	signUp(g, "Ana Ferreira")
	newWorkspace(g, "Harbor")
	g.Click(`a[href$="/billing"]`)
	g.WaitText("Nobody gets the invoices and reminders by e-mail")
	g.Click("role=button:Add an e-mail")
	g.Fill("label=E-mail", "nobody")
	g.Press("Enter")
	g.WaitText("is not an e-mail address")
	g.Fill("label=E-mail", "billing@harbor.example")
	g.Press("Enter")
	g.WaitText("billing@harbor.example")

	g.Click("role=button:Add a webhook")
	g.Fill("label=Address", "https://10.0.0.1/")
	g.Press("Enter")
	g.WaitText("public internet")
	g.Fill("label=Address", program.URL)
	g.Press("Enter")
	g.Wait("role=dialog:The webhook's secret")
	mu.Lock()
	secret = g.TextOf("dialog code")
	mu.Unlock()
	g.Press("Escape")
	g.WaitGone("role=dialog:The webhook's secret")

	buyTeam(g)
	within(t, "the program hears of the invoice", func() bool { mu.Lock(); defer mu.Unlock(); return heard == 1 })
	mu.Lock()
	if bad != "" {
		t.Errorf("signatures: %s", bad)
	}
	mu.Unlock()
	g.Click("role=button:Manage")
	g.Wait("role=dialog:Webhook")
	g.WaitText("invoice.paid")
	g.WaitText("Delivered")
	g.Press("Escape")

	var line string
	within(t, "the mail of the invoice is kept", func() bool {
		for l := range strings.SplitSeq(s.cli("mail", "list"), "\n") {
			if strings.Contains(l, "kept") && strings.Contains(l, "invoice.issued") && strings.Contains(l, "billing@harbor.example") {
				line = l
			}
		}
		return line != ""
	})
	if mail := s.cli("mail", "show", strings.Fields(line)[0]); !strings.Contains(mail, "Attached: HF-000001.pdf") || !strings.Contains(mail, s.url(0)+"/w/") {
		t.Errorf("%s", mail)
	}
}

// A key that is made on the page lets a program count usage, and nothing more. Once it is revoked there, the program is refused.
func TestAPIKeyFromThePage(t *testing.T) {
	s := start(t, "local")
	plans := strings.Replace(smallPlans, "meters: {", "meters: {mails: {name: Mails, aggregate: sum}, ", 1)
	s.sell(plans)
	_, g := newPerson(t, "ana", s.url(0))
	signUp(g, "Ana Ferreira")
	newWorkspace(g, "Harbor")
	g.Click(`a[href$="/billing"]`)
	g.WaitText("with a key your own programs")
	g.Click("role=button:New key")
	g.Fill("label=Name", "Web shop")
	g.Click("role=checkbox:Send usage events (events:write)")
	g.Click("role=button:Make the key")
	g.WaitText("It is not shown again")
	key := g.TextOf("dialog code")
	g.Press("Escape")
	g.WaitText("never used")

	tenant := strings.Split(strings.TrimPrefix(g.URL(), s.url(0)), "/")[2]
	send := func(method, path, body string) (int, string) {
		t.Helper()
		r, err := http.NewRequest(method, s.url(0)+"/api/v1/workspaces/"+tenant+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer "+key)
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Idempotency-Key", "batch-1")
		res, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		b, _ := io.ReadAll(res.Body)
		return res.StatusCode, string(b)
	}
	const batch = `[{"specversion":"1.0","id":"a","source":"shop","type":"mails","data":{"value":"50"}}]`
	if status, body := send("POST", "/events", batch); status != 200 || !strings.Contains(body, `"counted"`) {
		t.Fatalf("%d %s", status, body)
	}
	if status, body := send("GET", "/billing", ""); status != 403 {
		t.Errorf("a key for events reads the billing: %d %s", status, body)
	}
	g.Reload()
	g.WaitText("last used just now")
	g.Click("role=button:Revoke Web shop")
	g.WaitText("can no longer send usage events")
	g.Click("role=button:Revoke")
	g.WaitText("with a key your own programs")
	if status, body := send("POST", "/events", batch); status != 401 || !strings.Contains(body, "revoked") {
		t.Errorf("a revoked key: %d %s", status, body)
	}
}
