package invoice

import (
	"fmt"
	"testing"
	"time"

	"github.com/govalues/decimal"
	"pgregory.net/rapid"

	"holdfast/server/tax"
	"holdfast/sync/fault"
)

func at(percent string) tax.Treatment {
	return tax.Treatment{Category: tax.Standard, Name: "VAT", Country: "FR", Percent: decimal.MustParse(percent)}
}

func draft(lines ...Line) Invoice {
	for i := range lines {
		lines[i].ID = fmt.Sprint("l", i)
	}
	return Invoice{ID: "i", Number: "DRAFT-1", State: Draft, Currency: "EUR", Lines: lines}
}

var now = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

func TestBM20_OrderAndSums(t *testing.T) {
	v, err := draft(Line{Amount: 10000, Treatment: at("10")}, Line{Amount: 5000, Treatment: at("0")},
		Line{Amount: 3000, Treatment: at("20")},
		Line{Amount: 2000, Treatment: at("20")}).Compute([]Coupon{{ID: "C", Amount: 1000}})
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []struct{ off, tax int64 }{{500, 950}, {250, 0}, {150, 570}, {100, 380}} {
		l := v.Lines[i]
		if got := l.Amount - l.Discounted(); got != want.off || l.Tax != want.tax {
			t.Errorf("line %d: got -%d tax %d, want -%d tax %d", i, got, l.Tax, want.off, want.tax)
		}
	}
	if v.Subtotal != 20000 || v.Discount != 1000 || v.Net != 19000 || v.Tax != 1900 || v.Total != 20900 {
		t.Errorf("got %+v", v)
	}
}

func TestTaxInside(t *testing.T) {
	v, err := draft(Line{Amount: 999, Treatment: at("20"), TaxIncluded: true},
		Line{Amount: 999, Treatment: at("20"), TaxIncluded: true},
		Line{Amount: 999, Treatment: at("20"), TaxIncluded: true}).Compute(nil)
	if err != nil || v.Total != 2997 || v.Net != 2498 || v.Tax != 499 { // 2997/1.2 = 2497.5
		t.Errorf("got net %d tax %d total %d, %v", v.Net, v.Tax, v.Total, err)
	}
	if v.Lines[0].Net+v.Lines[1].Net+v.Lines[2].Net != v.Net || len(v.Groups) != 1 {
		t.Errorf("lines do not add up: %+v", v.Lines)
	}
}

func TestBM21_CouponsInOrder(t *testing.T) {
	only := func(l Line) bool { return l.ID == "l0" }
	v, err := draft(Line{Amount: 3000, Treatment: at("0")}, Line{Amount: 1000, Treatment: at("0")}).Compute([]Coupon{
		{ID: "half", Percent: decimal.MustParse("50"), Takes: only}, {ID: "ten", Amount: 1000}, {ID: "rest", Amount: 999999}})
	if err != nil || v.Discount != 4000 || v.Total != 0 {
		t.Errorf("got discount %d total %d %v", v.Discount, v.Total, err)
	}
	if got := v.Lines[0].Discounts; len(got) != 3 || got[0] != (Discount{"half", 1500}) || got[1] != (Discount{"ten", 600}) {
		t.Errorf("got %v", got)
	}
}

func TestBM18_StatesAndImmutability(t *testing.T) {
	v, err := draft(Line{Amount: 1000, Treatment: at("20")}).Compute(nil)
	if err != nil {
		t.Fatal(err)
	}
	open, err := v.Issue("HF-1", now, now, []Applied{{"g", "balance", 200}})
	if err != nil || open.State != Open || open.Due() != 1000 {
		t.Fatalf("got %s due %d %v", open.State, open.Due(), err)
	}
	if _, err := open.Compute(nil); fault.KindOf(err) != fault.Conflict {
		t.Errorf("an issued invoice was computed again: %v", err)
	}
	if _, err := open.Issue("HF-2", now, now, nil); fault.KindOf(err) != fault.Conflict {
		t.Errorf("issued twice: %v", err)
	}
	if _, err := open.Receive(1001, now); fault.KindOf(err) != fault.Invalid {
		t.Errorf("too much was received: %v", err)
	}
	part, _ := open.Receive(400, now)
	if _, err := part.Cancel(now); fault.KindOf(err) != fault.Conflict {
		t.Errorf("a part-paid invoice became void: %v", err)
	}
	paid, err := part.Receive(600, now)
	if err != nil || paid.State != Paid || paid.Due() != 0 {
		t.Errorf("got %s %v", paid.State, err)
	}
	back, err := paid.Return(600)
	if err != nil || back.State != Open || back.Due() != 600 {
		t.Errorf("got %s %d %v", back.State, back.Due(), err)
	}
	lost, _ := open.GiveUp(now)
	if got, err := lost.Receive(1000, now); lost.State != Uncollectible || err != nil || got.State != Paid {
		t.Errorf("recovery: got %s %v", got.State, err)
	}
	if void, err := open.Cancel(now); err != nil || void.Due() != 0 {
		t.Errorf("got %s %v", void.State, err)
	}
	if open.State != Open || open.Received != 0 {
		t.Error("a step changed the invoice it was taken from")
	}
}

func TestBM22_CreditNotes(t *testing.T) {
	issue := func(amount int64, percent string) Invoice {
		v, _ := draft(Line{Amount: amount, Treatment: at(percent)}).Compute(nil)
		v, _ = v.Issue("HF-1", now, now, nil)
		return v
	}
	for _, c := range []struct{ invoiced, credited, net, tax, total int64 }{
		{871, 645, 645, 161, 806}, {968, 968, 968, 242, 1210}, {20000, 19333, 19333, 4833, 24166}, {16000, 15467, 15467, 3867, 19334},
	} {
		v := issue(c.invoiced, "25")
		n, err := v.Credit(nil, []Take{{Line: "l0", Amount: c.credited}})
		if err != nil || n.Net != c.net || n.Tax != c.tax || n.Total != c.total {
			t.Errorf("%d of %d: got %d + %d = %d %v, want %d + %d = %d", c.credited, c.invoiced, n.Net, n.Tax, n.Total, err,
				c.net, c.tax, c.total)
		}
		n.Invoice = v.ID
		if _, err := v.Credit([]Note{n}, []Take{{Line: "l0",
			Amount: c.invoiced - c.credited + 1}}); fault.KindOf(err) != fault.Invalid {
			t.Errorf("more than the invoice was credited: %v", err)
		}
	}
}

func TestLawInvoiceTotalIsTheSumOfWhatItShows(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v := randomInvoice(t)
		var sub, off, net, tax, byGroup, groupNet int64
		for _, l := range v.Lines {
			sub, net, tax = sub+l.Amount, net+l.Net, tax+l.Tax
			for _, d := range l.Discounts {
				off += d.Amount
			}
			if l.Discounted() < 0 {
				t.Fatalf("a line went below zero: %+v", l)
			}
		}
		for _, g := range v.Groups {
			byGroup, groupNet = byGroup+g.Tax, groupNet+g.Net
		}
		if sub != v.Subtotal || off != v.Discount || net != v.Net || groupNet != v.Net || tax != v.Tax || byGroup != v.Tax ||
			v.Total != net+tax {
			t.Fatalf("sums differ: %+v", v)
		}
	})
}

func randomInvoice(t *rapid.T) Invoice {
	var lines []Line
	for range rapid.IntRange(1, 12).Draw(t, "lines") {
		lines = append(lines, Line{Amount: rapid.Int64Range(0, 1e7).Draw(t, "amount"), TaxIncluded: rapid.Bool().Draw(t, "included"),
			Treatment: at(rapid.SampledFrom([]string{"0", "5.5", "20", "8.875"}).Draw(t, "rate"))})
	}
	var coupons []Coupon
	for range rapid.IntRange(0, 3).Draw(t, "coupons") {
		c := Coupon{ID: "c", Amount: rapid.Int64Range(0, 1e6).Draw(t, "off")}
		if rapid.Bool().Draw(t, "percent?") {
			c.Percent = decimal.MustNew(rapid.Int64Range(1, 10000).Draw(t, "percent"), 2)
		}
		coupons = append(coupons, c)
	}
	v, err := draft(lines...).Compute(coupons)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestLawNotesNeverGiveBackMoreAndEndExact(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v, err := randomInvoice(t).Issue("HF-1", now, now, nil)
		if err != nil {
			t.Fatal(err)
		}
		var notes []Note
		var net, tax int64
		for {
			var takes []Take
			for _, l := range v.Lines {
				if left := v.Left(l.ID, notes); left > 0 {
					a := left
					if left > 3 && rapid.Bool().Draw(t, "part") {
						a = rapid.Int64Range(1, left).Draw(t, "take")
					}
					takes = append(takes, Take{Line: l.ID, Amount: a})
				}
			}
			if len(takes) == 0 {
				break
			}
			n, err := v.Credit(notes, takes)
			if err != nil {
				t.Fatal(err)
			}
			if n.Net < 0 || n.Tax < 0 {
				t.Fatalf("a note below zero: %+v", n)
			}
			net, tax, notes = net+n.Net, tax+n.Tax, append(notes, n)
			if net > v.Net || tax > v.Tax {
				t.Fatalf("gave back %d + %d of %d + %d", net, tax, v.Net, v.Tax)
			}
		}
		if net != v.Net || tax != v.Tax {
			t.Fatalf("gave back %d + %d of %d + %d", net, tax, v.Net, v.Tax)
		}
	})
}

func TestRefundOfAnExactSum(t *testing.T) {
	for _, percent := range []string{"0", "5.5", "20", "25"} {
		for _, included := range []bool{false, true} {
			v, _ := draft(Line{Amount: 1000, Treatment: at(percent),
				TaxIncluded: included}).Compute([]Coupon{{ID: "c", Percent: decimal.MustParse("10")}})
			v, _ = v.Issue("HF-1", now, now, nil)
			var notes []Note
			var sum int64
			for _, g := range []int64{1, 2, 7, 100, 333, v.Total} {
				g = min(g, v.LeftGross("l0", notes))
				n, err := v.Credit(notes, []Take{{Line: "l0", Gross: g}})
				if err != nil || n.Total != g || n.Net < 0 || n.Tax < 0 {
					t.Fatalf("%s %v: asked %d, got %+v %v", percent, included, g, n, err)
				}
				notes, sum = append(notes, n), sum+n.Total
			}
			var net, tax int64
			for _, n := range notes {
				net, tax = net+n.Net, tax+n.Tax
			}
			if sum != v.Total || tax < v.Tax-1 || tax > v.Tax+1 {
				t.Errorf("%s %v: gave back %d + %d of %d + %d", percent, included, net, tax, v.Net, v.Tax)
			}
			if _, err := v.Credit(notes, []Take{{Line: "l0", Gross: 1}}); fault.KindOf(err) != fault.Invalid {
				t.Errorf("more than the whole was given back: %v", err)
			}
		}
	}
}
