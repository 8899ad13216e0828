package invoice

import (
	"time"

	"holdfast/server/money"
	"holdfast/server/period"
	"holdfast/sync/fault"
)

// CreditLine takes back a part of an invoice's line.
type CreditLine struct {
	Line     string      `json:"line"` // of the invoice
	Name     string      `json:"name"`
	Span     period.Span `json:"span"`     // the time that is given back
	Amount   int64       `json:"amount"`   // before discounts, as on the invoice's line
	Discount int64       `json:"discount"` // the part of the discounts that goes with it
	Net      int64       `json:"net"`
	Tax      int64       `json:"tax"`
}

// Note is a credit note. Its amounts are positive and lower what the customer owes.
type Note struct {
	ID       string         `json:"id"`
	Number   string         `json:"number"`
	Invoice  string         `json:"invoice"`
	Of       string         `json:"of"` // the invoice's number
	Reason   string         `json:"reason"`
	Seller   Party          `json:"seller"`
	Buyer    Party          `json:"buyer"`
	Currency money.Currency `json:"currency"`
	Issued   time.Time      `json:"issued"`
	Lines    []CreditLine   `json:"lines"`
	Net      int64          `json:"net"`
	Groups   []Group        `json:"taxes"`
	Tax      int64          `json:"tax"`
	Total    int64          `json:"total"`

	ToInvoice int64 `json:"to_invoice"` // lowers what is owed on the invoice
	ToBalance int64 `json:"to_balance"` // kept for the next invoices
	ToRefund  int64 `json:"to_refund"`  // paid back
}

// Take asks for a part of a line back; Amount is before discounts, as on the line.
type Take struct {
	Line   string
	Amount int64
	Span   period.Span
	Name   string
}

// Left is how much of a line's amount the earlier notes have not taken back.
func (v *Invoice) Left(line string, earlier []Note) int64 {
	l := v.Line(line)
	if l == nil {
		return 0
	}
	left := l.Amount
	for _, n := range earlier {
		for _, c := range n.Lines {
			if c.Line == line && n.Invoice == v.ID {
				left -= c.Amount
			}
		}
	}
	return left
}

// Credit computes a credit note on an issued invoice. Discounts and tax are those of the invoice, taken back in proportion, so
// that all notes together give back a line, its discount and its tax exactly and never more.
func (v *Invoice) Credit(earlier []Note, takes []Take) (Note, error) {
	const op = "invoice.Credit"
	if v.State == Draft || v.State == Void {
		return Note{}, v.conflict(op, "credited")
	}
	n := Note{Invoice: v.ID, Of: v.Number, Seller: v.Seller, Buyer: v.Buyer, Currency: v.Currency}
	taken := map[string]int64{}
	for _, e := range earlier {
		for _, c := range e.Lines {
			if e.Invoice == v.ID {
				taken[c.Line] += c.Amount
			}
		}
	}
	sums := newGroups(v, taken)
	for _, t := range takes {
		l := v.Line(t.Line)
		if l == nil {
			return Note{}, fault.Errorf(op, fault.NotFound, "invoice %s has no line %q", v.Number, t.Line)
		}
		if left := l.Amount - taken[t.Line]; t.Amount <= 0 || t.Amount > left {
			return Note{}, fault.Errorf(op, fault.Invalid, "%s cannot be credited on %q of invoice %s: %s of it is left", money.Text(t.Amount, v.Currency), l.Name, v.Number, money.Text(left, v.Currency))
		}
		before, err := l.discountOf(taken[t.Line])
		if err != nil {
			return Note{}, fault.Wrap(op, err)
		}
		taken[t.Line] += t.Amount
		after, err := l.discountOf(taken[t.Line])
		if err != nil {
			return Note{}, fault.Wrap(op, err)
		}
		c := CreditLine{Line: t.Line, Name: t.Name, Span: t.Span, Amount: t.Amount, Discount: after - before}
		if c.Name == "" {
			c.Name = l.Name
		}
		if c.Tax, err = sums.add(l, c.Amount-c.Discount); err != nil {
			return Note{}, fault.Wrap(op, err)
		}
		if c.Net = c.Amount - c.Discount; l.TaxIncluded {
			c.Net -= c.Tax
		}
		n.Lines = append(n.Lines, c)
		n.addGroup(l, c)
	}
	for _, c := range n.Lines {
		n.Net += c.Net
		n.Tax += c.Tax
	}
	n.Total = n.Net + n.Tax
	return n, nil
}

func (n *Note) addGroup(l *Line, c CreditLine) {
	for i := range n.Groups {
		if same := n.Groups[i].Treatment; same.Category == l.Treatment.Category && same.Country == l.Treatment.Country && same.Percent.Equal(l.Treatment.Percent) {
			n.Groups[i].Net += c.Net
			n.Groups[i].Tax += c.Tax
			return
		}
	}
	n.Groups = append(n.Groups, Group{l.Treatment, c.Net, c.Tax})
}

// discountOf is the discount that goes with the first amount of the line.
func (l *Line) discountOf(amount int64) (int64, error) {
	d := l.Amount - l.Discounted()
	if d == 0 || l.Amount == 0 {
		return 0, nil
	}
	return money.Int(d).Mul(money.Frac(amount, l.Amount)).Round()
}

// groups tracks, for each tax group of the invoice, how much of it was credited and the tax that went with it.
type groups struct {
	v    *Invoice
	base map[groupKey]int64 // credited so far, as computed on
}

func newGroups(v *Invoice, taken map[string]int64) *groups {
	g := &groups{v, map[groupKey]int64{}}
	for i := range v.Lines {
		l := &v.Lines[i]
		if a := taken[l.ID]; a > 0 {
			d, _ := l.discountOf(a) // was computed before, on the note that took it
			g.base[l.group()] += a - d
		}
	}
	return g
}

// add credits base more of l's group and gives the tax that goes with it: what the rate says of the running sum, no more
// than the group has, and all of it when the group is credited whole.
func (g *groups) add(l *Line, base int64) (int64, error) {
	k := l.group()
	var all, allTax int64
	for _, x := range g.v.Lines {
		if x.group() == k {
			all += x.Discounted()
			allTax += x.Tax
		}
	}
	tax := func(b int64) (int64, error) {
		if b == all {
			return allTax, nil
		}
		rate := l.Treatment.Share()
		if l.TaxIncluded {
			rate = rate.Div(rate.Add(money.Int(1)))
		}
		t, err := money.Int(b).Mul(rate).Round()
		return min(t, allTax), err
	}
	before, err := tax(g.base[k])
	if err != nil {
		return 0, err
	}
	g.base[k] += base
	after, err := tax(g.base[k])
	return after - before, err
}
