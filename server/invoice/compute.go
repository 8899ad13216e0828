package invoice

import (
	"holdfast/server/money"
	"holdfast/sync/fault"
)

// Compute fills in discounts, nets, taxes and totals of a draft from its lines' amounts and treatments. It gives a new
// invoice and leaves the one it was called on alone. It fails if the invoice is not a draft, has too many lines, or if
// an amount leaves money's bounds. The order of lines and coupons is the order of computing.
func (v Invoice) Compute(coupons []Coupon) (Invoice, error) {
	const op = "invoice.Compute"
	if v.State != Draft {
		return v, fault.Errorf(op, fault.Conflict, "invoice %s is issued and is never edited; make a credit note", v.Number)
	}
	if len(v.Lines) > MaxLines {
		return v, fault.Errorf(op, fault.TooLarge, "an invoice has at most %d lines", MaxLines)
	}
	v.Lines = append([]Line(nil), v.Lines...)
	for i := range v.Lines {
		v.Lines[i].Discounts = nil
	}
	for _, c := range coupons {
		if err := v.discount(c); err != nil {
			return v, fault.Wrap(op, err)
		}
	}
	if err := v.taxes(); err != nil {
		return v, fault.Wrap(op, err)
	}
	v.Subtotal, v.Discount, v.Net, v.Tax = 0, 0, 0, 0
	for _, l := range v.Lines {
		v.Subtotal += l.Amount
		v.Discount += l.Amount - l.Discounted()
		v.Net += l.Net
	}
	for _, g := range v.Groups {
		v.Tax += g.Tax
	}
	v.Total = v.Net + v.Tax
	if v.Total > money.MaxMinor || v.Total < -money.MaxMinor {
		return v, fault.Errorf(op, fault.TooLarge, "the total is beyond what can be billed")
	}
	return v, nil
}

// discount takes one coupon off what earlier ones left, in proportion to the lines.
func (v *Invoice) discount(c Coupon) error {
	weights, sum := make([]int64, len(v.Lines)), int64(0)
	for i, l := range v.Lines {
		if left := l.Discounted(); left > 0 && l.Kind != Prepaid && (c.Takes == nil || c.Takes(l)) {
			weights[i] = left
			sum += left
		}
	}
	if sum == 0 {
		return nil
	}
	off := min(c.Amount, sum)
	if !c.Percent.IsZero() {
		var err error
		if off, err = money.Int(sum).Mul(money.Number(c.Percent)).Div(money.Int(100)).Round(); err != nil {
			return err
		}
	}
	shares, err := money.Allocate(off, weights)
	if err != nil {
		return err
	}
	for i, s := range shares {
		if s > 0 {
			v.Lines[i].Discounts = append(v.Lines[i].Discounts, Discount{c.ID, s})
		}
	}
	return nil
}

// groupKey tells groups apart. Prices with tax in them are a group of their own while computing, because there the net
// is rounded and the tax is the rest.
type groupKey struct {
	category, country, percent string
	included                   bool
}

func (l Line) group() groupKey {
	return groupKey{string(l.Treatment.Category), l.Treatment.Country, l.Treatment.Percent.String(), l.TaxIncluded}
}

// taxes computes net and tax of each group once, and gives each line the difference of two rounded running sums, so
// that lines add up to their group exactly.
func (v *Invoice) taxes() error {
	run := map[groupKey]money.Exact{} // what is computed on so far: nets, or grosses if tax is included
	shown := map[groupKey]int64{}     // what of it was given to lines: tax, or net
	v.Groups = nil
	at := map[groupKey]int{}
	for i := range v.Lines {
		l := &v.Lines[i]
		k, base := l.group(), l.Discounted()
		run[k] = run[k].Add(money.Int(base))
		rate := l.Treatment.Share()
		if l.TaxIncluded {
			net, err := run[k].Div(rate.Add(money.Int(1))).Round()
			if err != nil {
				return err
			}
			l.Net = net - shown[k]
			l.Tax, shown[k] = base-l.Net, net
		} else {
			due, err := run[k].Mul(rate).Round()
			if err != nil {
				return err
			}
			l.Net, l.Tax, shown[k] = base, due-shown[k], due
		}
		paper := k
		paper.included = false
		j, ok := at[paper]
		if !ok {
			j = len(v.Groups)
			at[paper] = j
			v.Groups = append(v.Groups, Group{Treatment: l.Treatment})
		}
		v.Groups[j].Net += l.Net
		v.Groups[j].Tax += l.Tax
	}
	return nil
}
