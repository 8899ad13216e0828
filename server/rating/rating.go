// Package rating prices quantities: usage × catalogue × share of the period → what a line costs and why. It is pure.
//
// A line is rounded once, at its end. Its parts (tiers, packages, minimum, maximum) are shown rounded so that they sum
// to the line. No usage costs nothing: the flat amount of a tier is owed when the tier is reached, which takes more
// than zero units.
package rating

import (
	"github.com/govalues/decimal"

	"holdfast/server/catalog"
	"holdfast/server/meter"
	"holdfast/server/money"
	"holdfast/sync/fault"
)

// Part explains a piece of a line.
type Part struct {
	What     string `json:"what"`               // tier, package, flat, percent, events, units, minimum, maximum
	From     string `json:"from,omitempty"`     // units below this are priced by other parts
	UpTo     string `json:"up_to,omitempty"`    //
	Quantity string `json:"quantity,omitempty"` //
	Rate     string `json:"rate,omitempty"`     // major units for each, or percent
	Amount   int64  `json:"amount"`             // minor units
	exact    money.Exact
}

// Result is a priced quantity.
type Result struct {
	Exact  money.Exact // minor units, before rounding
	Amount int64       // minor units
	Parts  []Part      // sum to Amount
}

// Price prices a quantity in currency c for a share of the full period (1 for all of it): licensed amounts, minimum and
// maximum are multiplied by the share, prices of usage are not, because usage is itself a part.
func Price(p *catalog.Price, c money.Currency, q meter.Quantity, share money.Exact) (Result, error) {
	const op = "rating.Price"
	if q.Units.Sign() < 0 {
		return Result{}, fault.Errorf(op, fault.Invalid, "a negative quantity of %s: %s", p.ID, q.Units.Text(9))
	}
	parts, err := parts(p, c, q)
	if err != nil {
		return Result{}, err
	}
	if !p.Metered() {
		for i := range parts {
			parts[i].exact = parts[i].exact.Mul(share)
		}
	}
	sum := money.Exact{}
	for _, x := range parts {
		sum = sum.Add(x.exact)
	}
	if low, ok := p.Min[c]; ok {
		if gap := minor(low, c).Mul(share).Sub(sum); gap.Sign() > 0 {
			parts, sum = append(parts, Part{What: "minimum", Rate: low.String(), exact: gap}), sum.Add(gap)
		}
	}
	if high, ok := p.Max[c]; ok {
		if over := minor(high, c).Mul(share).Sub(sum); over.Sign() < 0 {
			parts, sum = append(parts, Part{What: "maximum", Rate: high.String(), exact: over}), sum.Add(over)
		}
	}
	return round(parts, sum)
}

// round rounds the sum once and shows each part as the difference of two rounded running sums.
func round(parts []Part, sum money.Exact) (Result, error) {
	amount, err := sum.Round()
	if err != nil {
		return Result{}, fault.Wrap("rating.Price", err)
	}
	run, shown := money.Exact{}, int64(0)
	for i := range parts {
		run = run.Add(parts[i].exact)
		upTo, err := run.Round()
		if err != nil {
			return Result{}, fault.Wrap("rating.Price", err)
		}
		parts[i].Amount, shown = upTo-shown, upTo
	}
	return Result{Exact: sum, Amount: amount, Parts: parts}, nil
}

func minor(d decimal.Decimal, c money.Currency) money.Exact { return money.Number(d).Minor(c) }

func parts(p *catalog.Price, c money.Currency, q meter.Quantity) ([]Part, error) {
	units := q.Units.Sub(money.Number(p.Included)).Max(money.Exact{})
	text := func(e money.Exact) string { return e.Text(9) }
	rate := p.Amount[c]
	switch p.Model {
	case catalog.Flat:
		return []Part{{What: "flat", Rate: rate.String(), exact: minor(rate, c)}}, nil
	case catalog.PerUnit:
		return []Part{{What: "units", Quantity: text(units), Rate: rate.String(), exact: minor(rate, c).Mul(units)}}, nil
	case catalog.Package:
		n := units.Div(money.Number(p.Size)).Ceil()
		return []Part{{What: "package", Quantity: text(n), Rate: rate.String(), exact: minor(rate, c).Mul(n)}}, nil
	case catalog.Percentage:
		share := money.Number(p.Percent).Div(money.Int(100))
		out := []Part{{What: "percent", Quantity: text(units), Rate: p.Percent.String(), exact: units.Minor(c).Mul(share)}}
		if !rate.IsZero() {
			n := money.Int(q.Events)
			out = append(out, Part{What: "events", Quantity: text(n), Rate: rate.String(), exact: minor(rate, c).Mul(n)})
		}
		return out, nil
	case catalog.Graduated:
		return graduated(p.Tiers, c, units), nil
	case catalog.Volume:
		return volume(p.Tiers, c, units), nil
	}
	return nil, fault.Errorf("rating.Price", fault.Unsupported, "unknown price model %q", p.Model)
}

func graduated(tiers []catalog.Tier, c money.Currency, units money.Exact) []Part {
	var out []Part
	last := money.Exact{}
	for _, t := range tiers {
		if units.Cmp(last) <= 0 {
			break
		}
		upTo, label := units, ""
		if t.UpTo != nil {
			upTo, label = units.Min(money.Number(*t.UpTo)), t.UpTo.String()
		}
		out = append(out, tier(t, c, upTo.Sub(last), last, label)...)
		last = upTo
	}
	return out
}

func volume(tiers []catalog.Tier, c money.Currency, units money.Exact) []Part {
	if units.Sign() == 0 {
		return nil
	}
	last := money.Exact{}
	for _, t := range tiers {
		if t.UpTo == nil {
			return tier(t, c, units, last, "")
		}
		if units.Cmp(money.Number(*t.UpTo)) <= 0 {
			return tier(t, c, units, last, t.UpTo.String())
		}
		last = money.Number(*t.UpTo)
	}
	return nil
}

func tier(t catalog.Tier, c money.Currency, n, from money.Exact, upTo string) []Part {
	var out []Part
	if d, ok := t.Amount[c]; ok {
		out = append(out, Part{What: "tier", From: from.Text(9), UpTo: upTo, Quantity: n.Text(9), Rate: d.String(),
			exact: minor(d, c).Mul(n)})
	}
	if d, ok := t.Flat[c]; ok {
		out = append(out, Part{What: "flat", From: from.Text(9), UpTo: upTo, Rate: d.String(), exact: minor(d, c)})
	}
	return out
}
