package ledger

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"holdfast/server/money"
	"holdfast/sync/fault"
)

var now = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

func TestBM35_DoubleEntry(t *testing.T) {
	var b Book
	ok := Tx{Key: "i1", At: now, Currency: "EUR", Entries: []Entry{Debit(Receivable, 120), Credit(Deferred, 100),
		Credit(TaxPayable, 20)}}
	for range 2 { // the second is the same fact
		if err := b.Post(ok); err != nil {
			t.Fatal(err)
		}
	}
	other := ok
	other.Entries = []Entry{Debit(Receivable, 1), Credit(Deferred, 1)}
	for name, c := range map[string]struct {
		tx   Tx
		kind fault.Kind
	}{
		"does-not-balance": {Tx{Key: "x", Currency: "EUR", Entries: []Entry{Debit(Cash, 1)}}, fault.Invalid},
		"unknown-account":  {Tx{Key: "x", Currency: "EUR", Entries: []Entry{{"pocket", 1}, Credit(Cash, 1)}}, fault.Invalid},
		"unknown-currency": {Tx{Key: "x", Currency: "EUX", Entries: []Entry{Debit(Cash, 1), Credit(Revenue, 1)}}, fault.Invalid},
		"no-key":           {Tx{Currency: "EUR", Entries: []Entry{Debit(Cash, 1), Credit(Revenue, 1)}}, fault.Invalid},
		"key-taken":        {other, fault.Conflict},
	} {
		if err := b.Post(c.tx); fault.KindOf(err) != c.kind {
			t.Errorf("%s: got %v, want %v", name, err, c.kind)
		}
	}
	if len(b.Txs()) != 1 || b.Balance(Receivable, "EUR") != 120 || b.Balance(TaxPayable, "EUR") != -20 {
		t.Errorf("got %+v", b.Txs())
	}
	c := b.Clone()
	_ = c.Post(Tx{Key: "p1", At: now, Currency: "EUR", Entries: []Entry{Debit(Cash, 120), Credit(Receivable, 120)}})
	if len(b.Txs()) != 1 || b.Balance(Cash, "EUR") != 0 || c.Balance(Receivable, "EUR") != 0 {
		t.Error("a clone wrote into its origin")
	}
}

func TestLawEveryCurrencySumsToZero(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var b Book
		for i := range rapid.IntRange(0, 50).Draw(t, "txs") {
			var es []Entry
			var sum int64
			for range rapid.IntRange(0, 4).Draw(t, "entries") {
				n := rapid.Int64Range(-1e6, 1e6).Draw(t, "n")
				es, sum = append(es, Entry{rapid.SampledFrom(Accounts).Draw(t, "account"), n}), sum+n
			}
			if rapid.IntRange(0, 3).Draw(t, "balanced") > 0 {
				es = append(es, Entry{Revenue, -sum})
			}
			_ = b.Post(Tx{Key: fmt.Sprint(i), At: now, Currency: rapid.SampledFrom([]money.Currency{"EUR", "JPY"}).Draw(t, "c"),
				Entries: es})
		}
		for _, row := range Trial(&b) {
			if row.Sum != 0 {
				t.Fatalf("%s sums to %d", row.Currency, row.Sum)
			}
		}
	})
}
