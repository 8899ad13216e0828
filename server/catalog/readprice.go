package catalog

import (
	"github.com/govalues/decimal"

	"holdfast/server/money"
	"holdfast/server/yamldoc"
)

// amounts reads what a model needs and refuses what it does not know.
func (r *reader) amounts(n yamldoc.Node, f map[string]yamldoc.Node, p *Price, cs []money.Currency) {
	takes := map[Model][]string{
		Flat: {"amount"}, PerUnit: {"amount"}, Package: {"amount",
			"size"}, Graduated: {"tiers"}, Volume: {"tiers"}, Percentage: {"percent", "amount"},
	}[p.Model]
	for _, k := range []string{"amount", "size", "percent", "tiers"} {
		if f[k].Ok() && p.Model != "" && !contains(takes, k) {
			f[k].Fail("a %s price has no %s", p.Model, k)
		}
	}
	switch p.Model {
	case Flat:
		p.Amount = r.rates(n.Need(f, "amount"), cs, true)
	case PerUnit:
		p.Amount = r.rates(n.Need(f, "amount"), cs, false)
	case Package:
		p.Amount = r.rates(n.Need(f, "amount"), cs, false)
		p.Size = n.Need(f, "size").Number()
		if f["size"].Ok() && !p.Size.IsPos() {
			f["size"].Fail("a package holds more than 0 units")
		}
	case Percentage:
		p.Percent = n.Need(f, "percent").Number()
		if decimal.MustNew(100, 0).Less(p.Percent) {
			f["percent"].Fail("%s %% is more than the whole", p.Percent)
		}
		p.Amount = r.rates(f["amount"], cs, false)
	case Graduated, Volume:
		r.tiers(n.Need(f, "tiers"), p, cs)
	}
}

// tiers reads tiers that follow one another without a gap and cover every quantity.
func (r *reader) tiers(n yamldoc.Node, p *Price, cs []money.Currency) {
	list := n.List()
	if n.Ok() && (len(list) == 0 || len(list) > maxTiers) {
		n.Fail("a price has 1 to %d tiers", maxTiers)
		return
	}
	zero := decimal.Decimal{}
	last, one := zero, zero.One()
	for i, tn := range list {
		f := tn.Fields("from", "up_to", "amount", "flat")
		if f["from"].Ok() {
			from := f["from"].Number()
			next, _ := last.Add(one)
			switch {
			case from.Equal(last) || from.Equal(next):
			case from.Less(last) || from.Equal(last):
				f["from"].Fail("this tier starts at %s, inside the one before it, which goes up to %s", from, last)
			default:
				f["from"].Fail("gap: nothing prices what lies between %s and %s", last, from)
			}
		}
		if !f["amount"].Ok() && !f["flat"].Ok() {
			tn.Fail("a tier needs an amount for each unit, a flat amount, or both")
		}
		t := Tier{Amount: r.rates(f["amount"], cs, false), Flat: r.rates(f["flat"], cs, true)}
		final := i == len(list)-1
		switch {
		case f["up_to"].Ok() && f["up_to"].Str() != "inf":
			up := f["up_to"].Number()
			t.UpTo = &up
			if final {
				f["up_to"].Fail("gap: nothing prices what lies above %s; the last tier has no up_to", up)
			}
			if !last.Less(up) {
				f["up_to"].Fail("tiers must rise: %s does not lie above %s", up, last)
			}
			last = up
		case !final:
			tn.Fail("up_to is missing; only the last tier is open")
		}
		p.Tiers = append(p.Tiers, t)
	}
}

// rates reads an amount: bare if there is one currency, else by currency. whole refuses parts of a minor unit.
func (r *reader) rates(n yamldoc.Node, cs []money.Currency, whole bool) Rates {
	if !n.Ok() {
		return nil
	}
	out := Rates{}
	read := func(x yamldoc.Node, c money.Currency) {
		d := x.Number()
		if whole {
			_, err := money.FromDecimal(d, c)
			x.FailErr(err)
		} else if d.Trim(0).Scale() > maxScale {
			x.Fail("%s has more than %d decimals", d, maxScale)
		}
		out[c] = d.Trim(0)
	}
	if !n.IsMap() {
		if len(cs) != 1 {
			n.Fail("sold in several currencies: write an amount for each, such as {%s: 10, %s: 12}", cs[0], cs[len(cs)-1])
			return out
		}
		read(n, cs[0])
		return out
	}
	for _, e := range n.Entries() {
		c, err := money.ParseCurrency(e.Key)
		if err != nil {
			e.Value.FailErr(err)
			continue
		}
		read(e.Value, c)
	}
	for _, c := range cs {
		if _, ok := out[c]; !ok {
			n.Fail("there is no amount in %s", c)
		}
	}
	return out
}
