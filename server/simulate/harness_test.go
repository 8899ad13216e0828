package simulate

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"holdfast/sync/fault"
)

// shop is the head of most test files: one seller in France, no tax, day proration.
const shop = `
catalog:
  currency: EUR
  proration: day
  seller: {name: Seller, country: FR}
`

func play(t testing.TB, file string) *Report {
	t.Helper()
	r, err := Play(context.Background(), strings.NewReader(file), Options{})
	if err != nil {
		t.Fatalf("%s", text(err))
	}
	if !r.Agrees {
		t.Errorf("does not reconcile: %+v", r.Differ)
	}
	for _, row := range r.Ledger {
		for _, c := range row.Sum {
			if c >= '1' && c <= '9' {
				t.Errorf("the ledger in %s sums to %s", row.Currency, row.Sum)
				break
			}
		}
	}
	return r
}

// refuse plays a file that must fail and gives what it says.
func refuse(t *testing.T, file string, kind fault.Kind) string {
	t.Helper()
	r, err := Play(context.Background(), strings.NewReader(file), Options{})
	if err == nil {
		t.Fatalf("was accepted: %s", brief(r))
	}
	if fault.KindOf(err) != kind {
		t.Errorf("got kind %v, want %v: %v", fault.KindOf(err), kind, err)
	}
	return text(err)
}

// brief is what a report comes to, a line for each document.
func brief(r *Report) string {
	var b strings.Builder
	for _, v := range r.Invoices {
		at := "draft"
		if v.Issued != nil {
			at = v.Issued.Format("01-02")
		}
		fmt.Fprintf(&b, "%s %s %s", at, v.Reason, v.Total)
		if v.Applied != "0.00" && v.Applied != "0" {
			fmt.Fprintf(&b, " credits %s", v.Applied)
		}
		fmt.Fprintf(&b, " %s:", v.State)
		for _, l := range v.Lines {
			fmt.Fprintf(&b, " %s", l.Name)
			if l.Quantity != "" {
				fmt.Fprintf(&b, " ×%s", l.Quantity)
			}
			if l.Share != "" {
				fmt.Fprintf(&b, " (%s)", l.Share)
			}
			fmt.Fprintf(&b, " %s", l.Amount)
			if l.Discount != "" {
				fmt.Fprintf(&b, " -%s", l.Discount)
			}
			b.WriteString(";")
		}
		b.WriteString("\n")
	}
	for _, n := range r.Notes {
		fmt.Fprintf(&b, "note %s %s on %s: off %s, balance %s, refund %s\n", n.Issued.Format("01-02"), n.Total, n.Invoice,
			n.ToInvoice, n.ToBalance, n.ToRefund)
	}
	return b.String()
}

// same compares a report with what is wanted, line by line, blanks at the ends not counted.
func same(t *testing.T, r *Report, want string) {
	t.Helper()
	clean := func(s string) string {
		var out []string
		for _, l := range strings.Split(s, "\n") {
			if l = strings.TrimSpace(l); l != "" {
				out = append(out, l)
			}
		}
		return strings.Join(out, "\n")
	}
	if got := clean(brief(r)); got != clean(want) {
		t.Errorf("got\n%s\nwant\n%s", got, clean(want))
	}
}

// events lists the kinds of what was told, from a prefix on, as "01-02 kind".
func told(r *Report, prefixes ...string) []string {
	var out []string
	for _, e := range r.Events {
		for _, p := range prefixes {
			if strings.HasPrefix(e.Kind, p) {
				out = append(out, e.At.Format("01-02")+" "+e.Kind)
			}
		}
	}
	return out
}

func equal(t *testing.T, what string, got, want any) {
	t.Helper()
	if g, w := fmt.Sprint(got), fmt.Sprint(want); g != w {
		t.Errorf("%s: got %s, want %s", what, g, w)
	}
}

func date(s string) time.Time {
	t, err := time.Parse("2006-01-02", s)
	if err != nil {
		panic(err)
	}
	return t
}
