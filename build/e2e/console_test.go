package e2e

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"holdfast/build/browser"
)

// fetched is what the browser gets at an address with its session: status, type and body, a line each.
func fetched(g *browser.Page, address string) string {
	return browser.Eval[string](g, `fetch("`+address+`").then(async (r) => r.status + "\n" + r.headers.get("Content-Type") + "\n" + await r.text())`)
}

// Somebody becomes an operator by a link of the command line, goes through every page of the console, acts for a customer, and downloads
// what the accountant wants. The customer sees what was done, and neither they nor a visitor find the console.
func TestOperatorsConsole(t *testing.T) {
	s := start(t, "local")
	owner, ana := newPerson(t, "ana", s.url(0))
	owner.Allow("404")
	signUp(ana, "Ana Ferreira")
	newWorkspace(ana, "Harbor Studio")
	ana.Click(`a[href$="/billing"]`)
	buyTeam(ana)

	olga, g := newPerson(t, "olga", s.url(0))
	olga.Allow("404")
	signUp(g, "Olga Operator")
	g.Wait("label=Workspace name")
	g.Go(strings.Fields(s.cli("operator", "invite"))[0])
	g.Click("role=button:Continue as Olga Operator")
	g.Wait("role=heading:Overview")
	g.WaitText("Nothing needs you")
	look(g, "console-overview")
	for _, p := range []string{"Subscriptions", "Payments", "Revenue", "Meters", "Catalogue", "Reconciliation", "Audit", "Customers"} {
		g.Click("role=link:" + p)
		g.Wait("role=heading:" + p)
		g.WaitCount(`nav a[aria-current="page"]`, 1)
	}
	g.Fill("label=Name, id, e-mail or document number", "harbor")
	g.Press("Enter")
	g.Click("role=link:Harbor Studio")
	g.Wait("role=heading:Harbor Studio")
	look(g, "console-customer")

	g.Click("role=link:Give credit")
	g.Fill("label=Amount in EUR", "25")
	g.Press("Enter")
	g.Wait("role=heading:What happens")
	g.WaitText("25.00 EUR")
	g.Click("role=button:Give credit")
	g.WaitText("The credit is given.")
	g.WaitText("Credit: give")
	g.Click("role=link:Credit note: HF-000001")
	g.Fill("label=Amount in EUR", "0.12")
	g.Fill("label=Reason, as it stands on the credit note", "An hour without service")
	g.Click("role=button:Show what happens")
	g.Wait("role=heading:A credit note over 0.12 EUR")
	look(g, "console-note")
	g.Click("role=button:Make a credit note")
	g.WaitText("The credit note is issued.")
	desk := olga.Open(s.url(0) + "/account") // the console's own pages may connect to nothing
	for _, l := range []string{"PDF of HF-000001", "E-invoice of HFC-000001", "View of HFC-000001"} {
		got := fetched(desk, g.Attr("role=link:"+l, "href"))
		if !strings.HasPrefix(got, "200\n") || len(got) < 500 {
			t.Errorf("%s: %.300s", l, got)
		}
	}
	g.Click("role=link:Revenue")
	journal := fetched(desk, g.Attr(`a[download^="journal-"]`, "href"))
	if !strings.HasPrefix(journal, "200\ntext/csv; charset=utf-8\nkey,booked,") || !strings.Contains(journal, "HFC-000001") {
		t.Errorf("%.500s", journal)
	}
	look(g, "console-revenue")
	g.Click("role=link:Audit")
	g.WaitText("Invoice: credit")

	g.Resize(360, 740, true) // the menu on a small screen is the browser's own popover
	g.Click("role=button:Open the menu")
	g.Click("role=link:Meters")
	g.Wait("role=heading:Meters")
	g.WaitText("Up to date")
	g.Resize(1440, 900, false)

	g.Go(s.url(0) + "/account")
	g.Click("role=link:Operator's console")
	g.Wait("role=heading:Overview")

	ana.Reload()
	ana.WaitText("HFC-000001")
	ana.WaitText("of credit pays the next invoices")
	ana.Click("role=button:Cancel Team")
	ana.WaitText("Nothing is deleted")
	ana.Click("role=button:Cancel at the end")
	ana.WaitText("After that the workspace can only be read")
	look(ana, "billing-cancelled")
	ana.Click("role=button:Keep Team")
	ana.Wait("role=button:Cancel Team")
	ana.Go(s.url(0) + "/account")
	ana.Wait("role=heading:Ana Ferreira")
	ana.WaitText("Added just now")
	if ana.Count("role=link:Operator's console") != 0 {
		t.Error("a customer is shown the way to the console")
	}
	nowhere := fetched(ana, "/nowhere")
	for _, p := range []string{"/operator", "/operator/customers", "/operator/catalogue"} {
		if got := fetched(ana, p); got != nowhere || !strings.HasPrefix(got, "404\n") {
			t.Errorf("a customer gets at %s: %.300s", p, got)
		}
		if got, want := visited(t, s.url(0)+p), visited(t, s.url(0)+"/nowhere"); got != want || !strings.HasPrefix(got, "404") {
			t.Errorf("a visitor gets at %s: %.300s", p, got)
		}
	}
}

func visited(t *testing.T, address string) string {
	t.Helper()
	r, err := http.Get(address)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	b, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return r.Status + "\n" + string(b)
}
