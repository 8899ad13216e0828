package simulate

import (
	"bytes"
	"context"
	"encoding/csv"
	"strings"
	"testing"

	"holdfast/server/document"
	"holdfast/server/money"
)

func TestBM26_EveryPaperOfTheExample(t *testing.T) {
	got := map[string][]byte{}
	r, err := Play(context.Background(), strings.NewReader(Example),
		Options{Save: func(name string, b []byte) error { got[name] = b; return nil }})
	if err != nil {
		t.Fatal(text(err))
	}
	if want := 3*(len(r.Invoices)+len(r.Notes)) + 7; len(got) != want {
		t.Errorf("got %d papers, want %d", len(got), want)
	}
	for name, b := range got {
		if !strings.HasSuffix(name, ".xml") {
			continue
		}
		if broken, err := document.Broken(b); err != nil || len(broken) > 0 {
			t.Errorf("%s: %v %v\n%s", name, broken, err, b)
		}
	}
}

func TestBM38_JournalAndInvoicesAsCSV(t *testing.T) {
	got := map[string][]byte{}
	r, err := Play(context.Background(), strings.NewReader(Example),
		Options{Save: func(name string, b []byte) error { got[name] = b; return nil }})
	if err != nil {
		t.Fatal(text(err))
	}
	rows := func(name string) [][]string {
		list, err := csv.NewReader(bytes.NewReader(got[name])).ReadAll()
		if err != nil || len(list) < 2 {
			t.Fatalf("%s: %d rows, %v", name, len(list), err)
		}
		return list[1:]
	}
	if n := len(rows("invoices.csv")); n != len(r.Invoices) {
		t.Errorf("%d invoices, want %d", n, len(r.Invoices))
	}
	if n := len(rows("payments.csv")); n != len(r.Payments) {
		t.Errorf("%d payments, want %d", n, len(r.Payments))
	}
	var debit, credit int64
	for _, row := range rows("journal.csv") {
		for i, sum := range map[int]*int64{8: &debit, 9: &credit} {
			if row[i] == "" {
				continue
			}
			a, err := money.Parse(row[i], "EUR")
			if err != nil {
				t.Fatal(err)
			}
			*sum += a.Minor
		}
	}
	if debit != credit || debit == 0 {
		t.Errorf("debits of %d, credits of %d", debit, credit)
	}
	for _, name := range []string{"usage.csv", "revenue.csv", "credit-notes.csv", "invoice-lines.csv"} {
		rows(name)
	}
}
