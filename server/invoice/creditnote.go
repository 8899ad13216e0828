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
	Test     bool           `json:"test,omitempty"`
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

// Take asks for a part of a line back: either Amount, before discounts as on the line, or Gross, with tax and after
// discounts, which the note's line then amounts to exactly.
type Take struct {
	Line   string
	Amount int64
	Gross  int64
	Span   period.Span
	Name   string
}

// LeftGross is how much of a line, after discounts and with tax, the earlier notes have not taken back.
func (v *Invoice) LeftGross(line string, earlier []Note) int64 {
	l := v.Line(line)
	if l == nil {
		return 0
	}
	left := l.Net + l.Tax
	for _, n := range earlier {
		for _, c := range n.Lines {
			if c.Line == line && n.Invoice == v.ID {
				left -= c.Net + c.Tax
			}
		}
	}
	return left
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

// Credit computes a credit note on an issued invoice. Discounts and tax are those of the invoice, taken back in
// proportion, so that all notes together give back a line, its discount and its tax exactly and never more.
func (v *Invoice) Credit(earlier []Note, takes []Take) (Note, error) {
	const op = "invoice.Credit"
	if v.State == Draft || v.State == Void {
		return Note{}, v.conflict(op, "credited")
	}
	n := Note{Invoice: v.ID, Of: v.Number, Test: v.Test, Seller: v.Seller, Buyer: v.Buyer, Currency: v.Currency}
	r := newRunning(v, earlier)
	for _, t := range takes {
		l := v.Line(t.Line)
		if l == nil {
			return Note{}, fault.Errorf(op, fault.NotFound, "invoice %s has no line %q", v.Number, t.Line)
		}
		take := r.byAmount
		if t.Gross > 0 {
			take = r.byGross
		}
		c, err := take(l, t)
		if err != nil {
			return Note{}, err
		}
		c.Line, c.Name, c.Span = t.Line, t.Name, t.Span
		if c.Name == "" {
			c.Name = l.Name
		}
		r.book(l, c)
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
		if same := n.Groups[i].Treatment; same.Category == l.Treatment.Category && same.Country == l.Treatment.Country &&
			same.Percent.Equal(l.Treatment.Percent) {
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

// running is what the notes on an invoice have taken back so far, by line and by tax group.
type running struct {
	v             *Invoice
	amount, off   map[string]int64 // by line
	gross         map[string]int64
	base, tax     map[groupKey]int64 // what tax is computed on, and the tax
	all, allOfTax map[groupKey]int64 // the same of the invoice
}

func newRunning(v *Invoice, earlier []Note) *running {
	r := &running{v, map[string]int64{}, map[string]int64{}, map[string]int64{}, map[groupKey]int64{}, map[groupKey]int64{},
		map[groupKey]int64{}, map[groupKey]int64{}}
	for _, l := range v.Lines {
		r.all[l.group()] += l.Discounted()
		r.allOfTax[l.group()] += l.Tax
	}
	for _, n := range earlier {
		for _, c := range n.Lines {
			if l := v.Line(c.Line); l != nil && n.Invoice == v.ID {
				r.book(l, c)
			}
		}
	}
	return r
}

func (r *running) book(l *Line, c CreditLine) {
	r.amount[l.ID] += c.Amount
	r.off[l.ID] += c.Discount
	r.gross[l.ID] += c.Net + c.Tax
	r.base[l.group()] += c.Amount - c.Discount
	r.tax[l.group()] += c.Tax
}

// byAmount takes an amount before discounts. Its tax is what the rate says of the group's running sum less what was
// taken back before, no more than the group has, and all that is left when the group is taken back whole.
func (r *running) byAmount(l *Line, t Take) (CreditLine, error) {
	const op = "invoice.Credit"
	if left := l.Amount - r.amount[l.ID]; t.Amount <= 0 || t.Amount > left {
		return CreditLine{}, fault.Errorf(op, fault.Invalid, "%s cannot be credited on %q of invoice %s: %s of it is left",
			money.Text(t.Amount, r.v.Currency), l.Name, r.v.Number, money.Text(left, r.v.Currency))
	}
	off, err := l.discountOf(r.amount[l.ID] + t.Amount)
	if err != nil {
		return CreditLine{}, fault.Wrap(op, err)
	}
	c := CreditLine{Amount: t.Amount, Discount: min(max(off-r.off[l.ID], 0), t.Amount)}
	k := l.group()
	base := r.base[k] + c.Amount - c.Discount
	due := r.allOfTax[k]
	if base != r.all[k] {
		rate := l.Treatment.Share()
		if l.TaxIncluded {
			rate = rate.Div(rate.Add(money.Int(1)))
		}
		x, err := money.Int(base).Mul(rate).Round()
		if err != nil {
			return CreditLine{}, fault.Wrap(op, err)
		}
		due = min(x, due)
	}
	c.Tax = max(due-r.tax[k], 0)
	if c.Net = c.Amount - c.Discount; l.TaxIncluded {
		c.Net -= c.Tax
	}
	return c, nil
}

// byGross takes an amount after discounts and with tax; tax is the part of it that the rate says.
func (r *running) byGross(l *Line, t Take) (CreditLine, error) {
	const op = "invoice.Credit"
	left := l.Net + l.Tax - r.gross[l.ID]
	switch {
	case t.Gross > left:
		return CreditLine{}, fault.Errorf(op, fault.Invalid, "%s cannot be given back on %q of invoice %s: %s of it is left",
			money.Text(t.Gross, r.v.Currency), l.Name, r.v.Number, money.Text(left, r.v.Currency))
	case t.Gross == left && l.Amount > r.amount[l.ID]:
		c := CreditLine{Amount: l.Amount - r.amount[l.ID], Discount: l.Amount - l.Discounted() - r.off[l.ID]}
		c.Net = c.Amount - c.Discount
		if l.TaxIncluded {
			c.Net = min(c.Net, t.Gross)
		}
		if c.Net <= t.Gross && !l.TaxIncluded {
			c.Tax = t.Gross - c.Net
			return c, nil
		}
	}
	rate := l.Treatment.Share()
	taxed, err := money.Int(t.Gross).Mul(rate.Div(rate.Add(money.Int(1)))).Round()
	if err != nil {
		return CreditLine{}, fault.Wrap(op, err)
	}
	k := l.group()
	c := CreditLine{Tax: min(taxed, max(r.allOfTax[k]-r.tax[k], 0))}
	c.Net = t.Gross - c.Tax
	base := c.Net
	if l.TaxIncluded {
		base = t.Gross
	}
	c.Amount = base
	if d := l.Discounted(); d > 0 && d != l.Amount {
		if c.Amount, err = money.Int(base).Mul(money.Frac(l.Amount, d)).Round(); err != nil {
			return CreditLine{}, fault.Wrap(op, err)
		}
	}
	c.Amount = max(base, min(c.Amount, l.Amount-r.amount[l.ID]))
	c.Discount = c.Amount - base
	return c, nil
}
