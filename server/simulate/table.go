package simulate

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"
)

// Table prints the report for people.
func (r *Report) Table(out io.Writer) error {
	p := &printer{w: out}
	p.say("From %s to %s\n", day(r.From), day(r.To))
	for _, v := range r.Invoices {
		p.invoice(v)
	}
	for _, n := range r.Notes {
		p.note(n)
	}
	p.section("Previews", len(r.Previews))
	for _, x := range r.Previews {
		p.say("%s  %s: %s would invoice %d, credit %d; net %s, due now %s, balance %s\n", day(x.At), x.Customer, x.What,
			len(x.Invoices), len(x.Notes), x.Net, x.DueNow, x.Balance)
	}
	p.section("Refused", len(r.Refused))
	for _, x := range r.Refused {
		p.say("%s  line %d, %s: %s\n", day(x.At), x.Line, x.What, x.Error)
	}
	p.section("Payments", len(r.Payments))
	p.table("date\tcustomer\tinvoice\tmethod\tamount\t\tstatus\t", func(row func(...any)) {
		for _, x := range r.Payments {
			row(day(x.At), x.Customer, x.Invoice, x.Method, x.Amount, string(x.Currency),
				strings.TrimSpace(x.Status+" "+x.Code+" "+x.Dispute))
		}
	}, len(r.Payments))
	p.section("Customers", len(r.Customers))
	p.table("customer\tplan\tstatus\tstanding\taccess\towed\tcredit\t\t", func(row func(...any)) {
		for _, x := range r.Customers {
			row(x.ID, x.Plan, string(x.Status), x.Standing, x.Access, x.Owed, x.Credit, string(x.Currency))
		}
	}, len(r.Customers))
	p.section("Ledger (debits positive)", len(r.Ledger))
	p.table("account\tbalance\t\t", func(row func(...any)) {
		for _, x := range r.Ledger {
			for _, e := range x.order {
				row(string(e.Account), x.Accounts[string(e.Account)], string(x.Currency))
			}
			row("sum", x.Sum, string(x.Currency))
		}
	}, len(r.Ledger))
	p.section("Revenue", len(r.Revenue))
	p.table("month\trecognised\tdeferred\tunbilled\t\t", func(row func(...any)) {
		for _, x := range r.Revenue {
			row(x.Month, x.Recognised, x.Deferred, x.Unbilled, string(x.Currency))
		}
	}, len(r.Revenue))
	p.section("Wires that match no invoice", len(r.Stray))
	for _, x := range r.Stray {
		p.say("%s  %s %s  %q\n", day(x.At), x.Amount, x.Currency, x.Reference)
	}
	if r.Agrees {
		p.say("\nReconciled: usage, invoices, payments, credits, revenue and ledger agree.\n")
	}
	p.section("Differences", len(r.Differ))
	for _, d := range r.Differ {
		p.say("%s  %s: %s, want %s\n", d.Customer, d.What, d.Got, d.Want)
	}
	return p.err
}

type printer struct {
	w   io.Writer
	err error
}

func (p *printer) say(format string, args ...any) {
	if p.err == nil {
		_, p.err = fmt.Fprintf(p.w, format, args...)
	}
}

func (p *printer) section(name string, n int) {
	if n > 0 {
		p.say("\n%s\n", name)
	}
}

func (p *printer) table(head string, fill func(row func(...any)), n int) {
	if n == 0 || p.err != nil {
		return
	}
	t := tabwriter.NewWriter(p.w, 2, 0, 2, ' ', 0)
	fmt.Fprintf(t, "  %s\n", head)
	fill(func(cells ...any) {
		fmt.Fprint(t, "  ")
		for _, c := range cells {
			fmt.Fprintf(t, "%v\t", c)
		}
		fmt.Fprintln(t)
	})
	p.err = t.Flush()
}

func day(t time.Time) string {
	if t.Hour() == 0 && t.Minute() == 0 {
		return t.Format("2006-01-02")
	}
	return t.Format("2006-01-02 15:04")
}

func (p *printer) invoice(v InvoiceRow) {
	issued := "not issued yet"
	if v.Issued != nil {
		issued = day(*v.Issued)
	}
	p.say("\nInvoice %s  %s  %s  %s  (%s)\n", v.Number, v.Customer, issued, v.State, v.Reason)
	p.table("line\tperiod\tquantity\tamount\tdiscount\tnet\ttax %\t", func(row func(...any)) {
		for _, l := range v.Lines {
			name := l.Name
			if l.Share != "" {
				name += " (" + l.Share + ")"
			}
			row(name, day(l.From)+" to "+day(l.To), l.Quantity, l.Amount, l.Discount, l.Net, l.TaxRate)
		}
	}, len(v.Lines))
	for _, t := range v.Taxes {
		p.say("  %s %s %% on %s: %s", t.Name, t.Percent, t.Net, t.Tax)
		if t.Reason != "" {
			p.say("  (%s)", t.Reason)
		}
		p.say("\n")
	}
	p.say("  total %s %s, credits %s, credit notes %s, paid %s, due %s\n", v.Total, v.Currency, v.Applied, v.Credited,
		v.Received, v.Due)
}

func (p *printer) note(n NoteRow) {
	p.say("\nCredit note %s  %s  %s  on %s  (%s)\n", n.Number, n.Customer, day(n.Issued), n.Invoice, n.Reason)
	for _, l := range n.Lines {
		p.say("  %s: %s net, %s tax\n", l.Name, l.Net, l.Tax)
	}
	p.say("  total %s %s: off the invoice %s, to balance %s, refunded %s\n", n.Total, n.Currency, n.ToInvoice, n.ToBalance, n.ToRefund)
}
