package console

import (
	"bytes"
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"holdfast/server/billing"
	"holdfast/server/export"
	"holdfast/server/invoice"
	"holdfast/server/ledger"
	"holdfast/server/payment"
	"holdfast/sync/wire"
)

// The longest page and the longest file fit into one message of the hub.
func TestTheLongestAnswersFit(t *testing.T) {
	at := time.Date(2026, 11, 5, 9, 0, 0, 0, time.UTC)
	a := &billing.Account{Customer: billing.Customer{ID: "01m6nezem0e1ktyv6w1tstn3rg", Name: "Harbor", Currency: "EUR"}}
	for n := range 3 * everyMax {
		number := fmt.Sprintf("HF-%06d", n)
		a.Invoices = append(a.Invoices, invoice.Invoice{ID: number, Number: number, State: invoice.Open, Currency: "EUR", Total: 123456, Issued: at, DueBy: at, Lines: []invoice.Line{{ID: "l"}}})
		a.Notes = append(a.Notes, invoice.Note{Number: "C" + number, Of: number, Currency: "EUR", Total: 1200, ToInvoice: 600, ToBalance: 600, Issued: at, Reason: strings.Repeat("because ", 8)})
		a.Payments = append(a.Payments, billing.Payment{ID: number, Invoice: number, Amount: 123456, Status: payment.Failed, Code: "card_velocity_exceeded", At: at})
		a.Events = append(a.Events, billing.SubEvent{Event: billing.Event{Kind: billing.EvPlan, At: at, Plan: "business", Item: &billing.Item{Version: 3}}})
		a.Notices = append(a.Notices, billing.Notice{At: at, Kind: "payment.failed", Mail: true, Text: "A payment of 1234.56 EUR failed: card_velocity_exceeded"})
	}
	v := view{a: a, now: at, most: everyMax}
	p := page{Sections: []section{v.invoices(), v.notes(), v.payments(), v.events(), v.notices()}}
	for _, s := range p.Sections {
		if len(s.Table.Rows) != everyMax {
			t.Errorf("%s has %d rows, want %d", s.Title, len(s.Table.Rows), everyMax)
		}
	}
	w := httptest.NewRecorder()
	must(t, p.send(w, "page"))
	if n := w.Body.Len(); n > wire.PayloadMax*9/10 {
		t.Errorf("a page of %d bytes, a message holds %d", n, wire.PayloadMax)
	}
	var list []ledger.Tx
	for n := range journalRows {
		list = append(list, ledger.Tx{Key: fmt.Sprintf("inv_01m6nezem0e1ktyv6w1tstn3rg_%d/issued", n), At: at, Effective: at, Customer: a.ID, Document: "HF-000001", Memo: "invoice issued", Currency: "EUR",
			Entries: []ledger.Entry{ledger.Debit(ledger.Receivable, 12000), ledger.Credit(ledger.Deferred, 10000), ledger.Credit(ledger.TaxPayable, 2000)}})
	}
	var b bytes.Buffer
	must(t, export.Bookings(&b, list))
	if n := b.Len(); n > wire.PayloadMax*9/10 {
		t.Errorf("a file of %d bytes, a message holds %d", n, wire.PayloadMax)
	}
}
