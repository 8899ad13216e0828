package console

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"holdfast/server/money"
	"holdfast/server/payment"
)

func TestAnUnmatchedTransferIsBooked(t *testing.T) {
	w := newWorld(t, time.Date(2026, 11, 5, 9, 0, 0, 0, time.UTC))
	session := w.operator("Olga")
	tenant := w.customer("Wire", "wire", "team")
	a, err := w.bill.Account(t.Context(), tenant)
	must(t, err)
	v := a.Invoices[0]
	must(t, w.bill.Arrived(t.Context(), payment.Event{ID: "T/1", Charge: "wire_T1", Amount: money.New(v.Total+50, "EUR"), Reference: "thank <you>"}))
	if _, body := w.send(session, "GET", prefix, nil); !strings.Contains(said(body), "1 transfer matches no invoice") {
		t.Errorf("%s", said(body))
	}
	_, body := w.send(session, "GET", prefix+"/payments", nil)
	if !strings.Contains(body, matchHref("T/1")) || !strings.Contains(body, "thank &lt;you&gt;") {
		t.Fatalf("%s", said(body))
	}
	if r, body := w.send(session, "GET", matchHref("T/1")+"&number=HF-999999", nil); r.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(said(body), "There is no invoice HF-999999") {
		t.Errorf("%d %s", r.StatusCode, said(body))
	}
	_, body = w.send(session, "GET", matchHref("T/1")+"&number="+v.Number, nil)
	if s := said(body); !strings.Contains(s, "for Wire") || !strings.Contains(s, "Paid") || !strings.Contains(s, "0.50 EUR") {
		t.Errorf("%s", s)
	}
	form := confirm(t, body)
	other := confirm(t, body)
	other.Set("print", "x")
	if r, _ := w.send(session, "POST", prefix+"/payments/match", other); r.StatusCode != http.StatusConflict {
		t.Errorf("with another print: %d", r.StatusCode)
	}
	if r, body := w.send(session, "POST", prefix+"/payments/match", form); r.StatusCode != http.StatusSeeOther || r.Header.Get("Location") != customerHref(string(tenant))+"?done=transfer" {
		t.Fatalf("%d %s", r.StatusCode, said(body))
	}
	if r, _ := w.send(session, "POST", prefix+"/payments/match", form); r.StatusCode != http.StatusNotFound {
		t.Errorf("a second time: %d", r.StatusCode)
	}
	a, err = w.bill.Account(t.Context(), tenant)
	must(t, err)
	list, err := w.bill.Reconcile(t.Context())
	must(t, err)
	if a.Invoices[0].State != "paid" || credit(a) != 50 || len(w.bill.Stray()) != 0 || len(list) != 0 {
		t.Errorf("%s, credit %d, %+v, %+v", a.Invoices[0].State, credit(a), w.bill.Stray(), list)
	}
	entries, err := w.runners.Entries(t.Context(), string(tenant), 0, 1)
	must(t, err)
	if len(entries) != 1 || entries[0].Action != "payment.match" {
		t.Errorf("%+v", entries)
	}
}
