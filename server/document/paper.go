// Package document makes papers of invoices and credit notes: HTML to look at, PDF to keep, and UBL for machines (EN
// 16931). All three are made of the issued document alone; nothing is computed here, so what they show is what is owed.
package document

import (
	"strings"
	"time"

	"golang.org/x/text/language"
	"golang.org/x/text/language/display"

	"holdfast/server/invoice"
	"holdfast/server/money"
	"holdfast/server/period"
)

// Paper is an invoice or credit note as it is read: every field is text, ready to show.
type Paper struct {
	Title, Number string
	Status        string // paid, void …; empty while it is simply owed
	Facts         []Fact
	Seller, Buyer []string
	SellerName    string
	Currency      string
	Lines         []Line
	Sums          []Fact // subtotal to total, then what became of it
	Notes         []string
	HasQuantity   bool // columns that have something in them
	HasDiscount   bool
	HasTax        bool
}

// Fact is a label and what stands beside it.
type Fact struct {
	Label, Text string
	Strong      bool
}

// Line is one row of a paper.
type Line struct {
	Name, Period, Quantity, Amount, Discount, Net, Tax string
	Details                                            []Fact
}

// Invoice makes a paper of an invoice. Days are those of zone.
func Invoice(v invoice.Invoice, zone *time.Location) Paper {
	p := start("Invoice", v.Number, v.Seller, v.Buyer, v.Currency)
	p.mark(v.Test)
	t := func(n int64) string { return Amount(n, v.Currency) }
	switch v.State {
	case invoice.Draft:
		p.Title, p.Status = "Draft "+strings.ToLower(p.Title), "not issued"
	case invoice.Paid:
		p.Status = "Paid"
	case invoice.Void:
		p.Status = "Void"
	}
	p.fact("Number", v.Number)
	p.fact("Date of issue", day(v.Issued, zone))
	if v.Due() > 0 {
		p.fact("Due by", day(v.DueBy, zone))
	} else if v.State == invoice.Paid {
		p.fact("Paid on", day(v.Closed, zone))
	}
	var inside int64
	for _, l := range v.Lines {
		if l.TaxIncluded {
			inside += l.Tax
		}
		row := Line{Name: l.Name, Period: span(l.Span, zone), Quantity: Grouped(l.Quantity), Amount: t(l.Amount), Net: t(l.Net),
			Tax: l.Treatment.Percent.String() + " %"}
		if l.Share != "" {
			row.Period += " (" + l.Share + " of the period)"
		}
		if d := l.Amount - l.Discounted(); d != 0 {
			row.Discount, p.HasDiscount = t(-d), true
		}
		if len(l.Parts) > 1 {
			for _, x := range l.Parts {
				row.Details = append(row.Details, Fact{Label: partText(x.What, x.Quantity, x.Rate, x.From, x.UpTo, v.Currency),
					Text: t(x.Amount)})
			}
		}
		p.HasQuantity = p.HasQuantity || row.Quantity != ""
		p.Lines = append(p.Lines, row)
	}
	p.HasTax = true
	p.sum("Subtotal", t(v.Subtotal), v.Discount != 0 || inside != 0)
	p.sum("Discounts", t(-v.Discount), v.Discount != 0)
	p.sum("Tax that is in the prices", t(-inside), inside != 0)
	p.sum("Net", t(v.Net), true)
	p.taxes(v.Groups, v.Currency)
	p.Sums = append(p.Sums, Fact{"Total", t(v.Total) + " " + p.Currency, true})
	p.sum("Credits", t(-v.CreditsApplied()), v.CreditsApplied() != 0)
	p.sum("Credit notes", t(-v.Credited), v.Credited != 0)
	p.sum("Paid", t(-v.Received), v.Received != 0)
	if v.State != invoice.Void {
		p.Sums = append(p.Sums, Fact{"Due", t(v.Due()) + " " + p.Currency, true})
	}
	if v.Due() > 0 && v.Seller.IBAN != "" && !v.Test {
		p.Notes = append(p.Notes, "By bank transfer: "+v.Seller.IBAN+". Please give the number "+v.Number+" as the reference.")
	}
	return p
}

// Note makes a paper of a credit note.
func Note(n invoice.Note, zone *time.Location) Paper {
	p := start("Credit note", n.Number, n.Seller, n.Buyer, n.Currency)
	p.mark(n.Test)
	t := func(x int64) string { return Amount(x, n.Currency) }
	p.fact("Number", n.Number)
	p.fact("Date of issue", day(n.Issued, zone))
	p.fact("On invoice", n.Of)
	p.fact("Reason", n.Reason)
	for _, l := range n.Lines {
		row := Line{Name: l.Name, Period: span(l.Span, zone), Amount: t(l.Amount), Net: t(l.Net)}
		if l.Discount != 0 {
			row.Discount, p.HasDiscount = t(-l.Discount), true
		}
		p.Lines = append(p.Lines, row)
	}
	p.sum("Net", t(n.Net), true)
	p.taxes(n.Groups, n.Currency)
	p.Sums = append(p.Sums, Fact{"Total credited", t(n.Total) + " " + p.Currency, true})
	p.sum("Taken off invoice "+n.Of, t(n.ToInvoice), n.ToInvoice != 0)
	p.sum("Kept for your next invoices", t(n.ToBalance), n.ToBalance != 0)
	p.sum("Paid back", t(n.ToRefund), n.ToRefund != 0)
	return p
}

func start(title, number string, seller, buyer invoice.Party, c money.Currency) Paper {
	return Paper{Title: title, Number: number, SellerName: seller.Name, Seller: party(seller), Buyer: party(buyer), Currency: string(c)}
}

// testText is what a paper of a test clock says.
const testText = "This is a test of prices. Nothing is owed."

func (p *Paper) mark(test bool) {
	if test {
		p.Title = "Test " + strings.ToLower(p.Title)
		p.Notes = append(p.Notes, testText)
	}
}

func party(x invoice.Party) []string {
	out := append([]string{x.Name}, x.Address...)
	for _, f := range []Fact{{Label: "", Text: country(x.Country)}, {Label: "VAT ", Text: x.VATID},
		{Label: "Registered ", Text: x.CompanyID}, {Label: "", Text: x.Email}} {
		if f.Text != "" {
			out = append(out, f.Label+f.Text)
		}
	}
	return out
}

// country is the name of a country that is known by two letters.
func country(code string) string {
	if r, err := language.ParseRegion(code); err == nil && r.IsCountry() {
		return display.English.Regions().Name(r)
	}
	return code
}

func (p *Paper) fact(label, text string) {
	if text != "" {
		p.Facts = append(p.Facts, Fact{Label: label, Text: text})
	}
}

func (p *Paper) sum(label, text string, show bool) {
	if show {
		p.Sums = append(p.Sums, Fact{Label: label, Text: text})
	}
}

func (p *Paper) taxes(groups []invoice.Group, c money.Currency) {
	for _, g := range groups {
		p.Sums = append(p.Sums, Fact{Label: g.Treatment.Name + " " + g.Treatment.Percent.String() + " % on " + Amount(g.Net, c),
			Text: Amount(g.Tax, c)})
		if g.Treatment.Reason != "" {
			p.Notes = append(p.Notes, g.Treatment.Reason+".")
		}
	}
}

// Amount writes minor units with thousands apart: 1,234.50.
func Amount(n int64, c money.Currency) string { return Grouped(money.Text(n, c)) }

// Grouped sets thousands of a decimal text apart.
func Grouped(s string) string {
	sign := ""
	if strings.HasPrefix(s, "-") {
		sign, s = "-", s[1:]
	}
	whole, frac, point := strings.Cut(s, ".")
	for i := len(whole) - 3; i > 0; i -= 3 {
		whole = whole[:i] + "," + whole[i:]
	}
	if point {
		whole += "." + frac
	}
	return sign + whole
}

func day(t time.Time, zone *time.Location) string {
	if t.IsZero() {
		return ""
	}
	return t.In(zone).Format("2 January 2006")
}

// span writes the days that are served.
func span(s period.Span, zone *time.Location) string {
	if s.Start.IsZero() || s.Empty() {
		return day(s.Start.In(zone), zone)
	}
	return s.Start.In(zone).Format("2 Jan 2006") + " to " + s.Last(zone).Format("2 Jan 2006")
}

func partText(what, quantity, rate, from, upTo string, c money.Currency) string {
	quantity, from, upTo = Grouped(quantity), Grouped(from), Grouped(upTo)
	price := rate + " " + string(c)
	switch what {
	case "tier":
		s := quantity + " at " + price
		if from != "0" && from != "" {
			s += ", above " + from
		}
		return s
	case "units", "package", "events":
		return quantity + " " + what + " at " + price
	case "percent":
		return rate + " % of " + quantity
	case "flat":
		return "flat " + price
	case "added":
		return "from " + from + " to " + upTo
	}
	return what
}
