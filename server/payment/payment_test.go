package payment

import (
	"context"
	"testing"
	"time"

	"holdfast/server/money"
	"holdfast/sync/fault"
)

type clock struct{ t time.Time }

func (c *clock) now() time.Time { return c.t }

func setup() (*Test, *clock) {
	c := &clock{time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}
	return NewTest(c.now), c
}

func req(key, kind, tok string) ChargeRequest {
	return ChargeRequest{Key: key, Customer: "a", Invoice: "i", Method: Method{Kind: kind, Token: tok}, Amount: money.New(1000, "EUR")}
}

func TestBM27_CardsDeclineInEveryWay(t *testing.T) {
	p, _ := setup()
	for tok, want := range map[string]Result{
		"4242424242424242":    {Status: Succeeded},
		"4242 4242 4242 4242": {Status: Succeeded},
		"4000000000000002":    {Status: Failed, Code: "generic_decline"},
		"4000000000009995":    {Status: Failed, Code: "insufficient_funds"},
		"4000000000000069":    {Status: Failed, Code: "expired_card", Hard: true},
		"stolen-card":         {Status: Failed, Code: "stolen_card", Hard: true},
		"4000002760003184":    {Status: Action},
	} {
		got, err := p.Charge(context.Background(), req("k"+tok, Card, tok))
		if got.ID = ""; err != nil || got != want {
			t.Errorf("%s: got %+v %v, want %+v", tok, got, err, want)
		}
	}
	for i, want := range []Status{Failed, Failed, Succeeded} {
		if got, _ := p.Charge(context.Background(), req("f"+string(rune('0'+i)), Card, "fails-twice")); got.Status != want {
			t.Errorf("try %d: got %s, want %s", i+1, got.Status, want)
		}
	}
}

func TestBM33_SameKeySameAnswer(t *testing.T) {
	p, _ := setup()
	a, _ := p.Charge(context.Background(), req("k", Card, "ok"))
	b, err := p.Charge(context.Background(), req("k", Card, "ok"))
	if err != nil || a != b {
		t.Errorf("got %+v, then %+v %v", a, b, err)
	}
	if _, err := p.Charge(context.Background(), req("k", Card, "lost-card")); fault.KindOf(err) != fault.Conflict {
		t.Errorf("the key was taken: got %v", err)
	}
}

func TestDebitSettlesLater(t *testing.T) {
	p, c := setup()
	for tok, want := range map[string]string{"account-ok": ChargeSucceeded, "account-no-funds": ChargeFailed} {
		if r, _ := p.Charge(context.Background(), req(tok, Debit, tok)); r.Status != Processing {
			t.Errorf("%s: got %s", tok, r.Status)
		}
		if got := p.Take(); len(got) != 0 {
			t.Errorf("%s: too early: %v", tok, got)
		}
		c.t = p.Next()
		if got := p.Take(); len(got) != 1 || got[0].Kind != want {
			t.Errorf("%s: got %v, want %s", tok, got, want)
		}
	}
	_, _ = p.Charge(context.Background(), req("b", Debit, "account-bounces"))
	c.t = c.t.AddDate(0, 0, 11)
	if got := p.Take(); len(got) != 2 || got[1].Kind != ChargeReturned {
		t.Errorf("got %v", got)
	}
}

func TestRefundsAndDisputes(t *testing.T) {
	p, c := setup()
	ch, _ := p.Charge(context.Background(), req("k", Card, "ok"))
	refund := func(key string, n int64) error {
		_, err := p.Refund(context.Background(), RefundRequest{key, ch.ID, money.New(n, "EUR")})
		return err
	}
	if err := refund("r1", 600); err != nil {
		t.Error(err)
	}
	if err := refund("r1", 600); err != nil {
		t.Errorf("the same refund again: %v", err)
	}
	if err := refund("r2", 401); fault.KindOf(err) != fault.Invalid {
		t.Errorf("a refund above the payment: %v", err)
	}
	if e, err := p.Dispute(ch.ID); err != nil || e.Amount.Minor != 400 {
		t.Errorf("got %+v %v", e, err)
	}
	if r, err := p.Refund(context.Background(), RefundRequest{"r3", ch.ID, money.New(1, "EUR")}); err != nil || r.Status != Failed {
		t.Errorf("refund of a disputed charge: %+v %v", r, err)
	}
	if e, err := p.Decide(ch.ID, true); err != nil || e.Kind != DisputeWon {
		t.Errorf("got %+v %v", e, err)
	}
	if _, err := p.Decide(ch.ID, false); fault.KindOf(err) != fault.Conflict {
		t.Errorf("decided twice: %v", err)
	}
	_, _ = p.Charge(context.Background(), req("d", Card, "disputed"))
	c.t = c.t.AddDate(0, 0, 2)
	if got := p.Take(); len(got) != 1 || got[0].Kind != DisputeOpened {
		t.Errorf("got %v", got)
	}
}
