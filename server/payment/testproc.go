package payment

import (
	"context"
	"fmt"
	"sort"
	"strconv"
	"strings"
	"sync"
	"time"

	"holdfast/server/money"
	"holdfast/sync/fault"
)

// outcome is what a test card or account does when charged.
type outcome struct {
	code    string // decline, if any
	hard    bool
	action  bool // 3-D Secure each time
	dispute bool // accepted, then disputed two days later
	fails   int  // declines that many times, then accepts
}

// Outcomes are the test cards: by the numbers that Stripe's test mode knows, and by name.
var outcomes = map[string]outcome{
	"ok":                     {},
	"generic-decline":        {code: "generic_decline"},
	"insufficient-funds":     {code: "insufficient_funds"},
	"velocity-exceeded":      {code: "card_velocity_exceeded"},
	"processing-error":       {code: "processing_error"},
	"lost-card":              {code: "lost_card", hard: true},
	"stolen-card":            {code: "stolen_card", hard: true},
	"expired-card":           {code: "expired_card", hard: true},
	"incorrect-cvc":          {code: "incorrect_cvc", hard: true},
	"do-not-try-again":       {code: "do_not_try_again", hard: true},
	"authenticate":           {action: true},
	"disputed":               {dispute: true},
	"fails-once":             {code: "generic_decline", fails: 1},
	"fails-twice":            {code: "insufficient_funds", fails: 2},
	"fails-three-times":      {code: "insufficient_funds", fails: 3},
	"account-ok":             {},
	"account-no-funds":       {code: "insufficient_funds"},
	"account-closed":         {code: "account_closed", hard: true},
	"account-bounces":        {code: "debit_not_authorized", hard: true},
	"4242424242424242":       {},
	"4000000000000002":       {code: "generic_decline"},
	"4000000000009995":       {code: "insufficient_funds"},
	"4000000000000341":       {code: "generic_decline"},
	"4000000000006975":       {code: "card_velocity_exceeded"},
	"4000000000000119":       {code: "processing_error"},
	"4000000000009987":       {code: "lost_card", hard: true},
	"4000000000009979":       {code: "stolen_card", hard: true},
	"4000000000000069":       {code: "expired_card", hard: true},
	"4000000000000127":       {code: "incorrect_cvc", hard: true},
	"4000002760003184":       {action: true},
	"4000000000000259":       {dispute: true},
	"DE89370400440532013000": {},
	"DE62370400440532013001": {code: "insufficient_funds"},
}

// How long the test bank takes.
const (
	settleAfter  = 3 * 24 * time.Hour
	bounceAfter  = 10 * 24 * time.Hour
	disputeAfter = 2 * 24 * time.Hour
)

type charge struct {
	req       ChargeRequest
	res       Result
	refunded  int64
	disputed  bool
	decided   bool
	confirmed bool
}

type timer struct {
	at time.Time
	e  Event
}

// Test is a processor that behaves like a real one and moves no money. It is safe for concurrent use.
type Test struct {
	now func() time.Time

	mu      sync.Mutex
	n       int
	charges map[string]*charge // by id
	byKey   map[string]string  // charge id
	refunds map[string]Result  // by key
	tries   map[string]int     // by customer and token
	timers  []timer
}

// NewTest makes a test processor that reads the time from now.
func NewTest(now func() time.Time) *Test {
	return &Test{now: now, charges: map[string]*charge{}, byKey: map[string]string{}, refunds: map[string]Result{},
		tries: map[string]int{}}
}

func (t *Test) id(prefix string) string {
	t.n++
	return fmt.Sprintf("%s_%06d", prefix, t.n)
}

func token(m Method) string {
	if m.Token == "" && m.Kind != Wire {
		return "ok"
	}
	return strings.ReplaceAll(m.Token, " ", "")
}

// Check tells whether a method could ever be charged.
func (t *Test) Check(m Method) error {
	switch m.Kind {
	case Wire:
		return nil
	case Card, Debit:
		if _, ok := outcomes[token(m)]; ok {
			return nil
		}
		var names []string
		for n := range outcomes {
			names = append(names, n)
		}
		sort.Strings(names)
		return fault.Errorf("payment.Check", fault.Invalid, "the test processor knows no %s %q; it knows %s", m.Kind, m.Token,
			strings.Join(names, ", "))
	}
	return fault.Errorf("payment.Check", fault.Invalid, "unknown kind of payment method %q; use card, debit or wire", m.Kind)
}

// Charge tries to take money.
func (t *Test) Charge(_ context.Context, r ChargeRequest) (Result, error) {
	const op = "payment.Charge"
	t.mu.Lock()
	defer t.mu.Unlock()
	if id, ok := t.byKey[r.Key]; ok {
		if was := t.charges[id]; was.req != r {
			return Result{}, fault.Errorf(op, fault.Conflict, "key %q was used for another charge", r.Key)
		}
		return t.charges[id].res, nil
	}
	if r.Key == "" || r.Amount.Minor <= 0 || !r.Amount.Currency.Known() {
		return Result{}, fault.Errorf(op, fault.Invalid, "a charge of %s needs a key and an amount above zero", r.Amount)
	}
	if err := t.Check(r.Method); err != nil {
		return Result{}, err
	}
	if r.Method.Kind == Wire {
		return Result{}, fault.Errorf(op, fault.Invalid, "a wire cannot be charged; the customer sends it")
	}
	c := &charge{req: r, res: t.attempt(r)}
	t.charges[c.res.ID], t.byKey[r.Key] = c, c.res.ID
	return c.res, nil
}

func (t *Test) attempt(r ChargeRequest) Result {
	o := outcomes[token(r.Method)]
	res := Result{ID: t.id("ch"), Status: Succeeded}
	tries := r.Customer + "/" + token(r.Method)
	t.tries[tries]++
	declined := o.code != "" && (o.fails == 0 || t.tries[tries] <= o.fails)
	at := t.now()
	later := func(after time.Duration, kind string) {
		e := Event{Kind: kind, Charge: res.ID, Customer: r.Customer, Amount: r.Amount}
		if kind == ChargeFailed || kind == ChargeReturned {
			e.Code, e.Hard = o.code, o.hard
		}
		t.schedule(at.Add(after), e)
	}
	switch {
	case r.Method.Kind == Debit && token(r.Method) == "account-bounces":
		res.Status = Processing
		later(settleAfter, ChargeSucceeded)
		later(bounceAfter, ChargeReturned)
	case r.Method.Kind == Debit && declined:
		res.Status = Processing
		later(settleAfter, ChargeFailed)
	case r.Method.Kind == Debit:
		res.Status = Processing
		later(settleAfter, ChargeSucceeded)
	case declined:
		res.Status, res.Code, res.Hard = Failed, o.code, o.hard
	case o.action:
		res.Status = Action
	case o.dispute:
		later(disputeAfter, DisputeOpened)
	}
	return res
}

func (t *Test) schedule(at time.Time, e Event) {
	e.At = at
	e.ID = t.id("evt")
	t.timers = append(t.timers, timer{at, e})
	sort.SliceStable(t.timers, func(i, j int) bool { return t.timers[i].at.Before(t.timers[j].at) })
}

// Refund gives money back; it settles at once.
func (t *Test) Refund(_ context.Context, r RefundRequest) (Result, error) {
	const op = "payment.Refund"
	t.mu.Lock()
	defer t.mu.Unlock()
	if res, ok := t.refunds[r.Key]; ok {
		return res, nil
	}
	c := t.charges[r.Charge]
	switch {
	case c == nil:
		return Result{}, fault.Errorf(op, fault.NotFound, "there is no charge %q", r.Charge)
	case r.Amount.Currency != c.req.Amount.Currency || r.Amount.Minor <= 0:
		return Result{}, fault.Errorf(op, fault.Invalid, "a refund of %s on a charge of %s", r.Amount, c.req.Amount)
	case r.Amount.Minor > c.req.Amount.Minor-c.refunded:
		return Result{}, fault.Errorf(op, fault.Invalid, "a refund of %s is more than what is left of the payment (%s)",
			r.Amount, money.New(c.req.Amount.Minor-c.refunded, c.req.Amount.Currency))
	}
	res := Result{ID: t.id("re"), Status: Succeeded}
	if c.disputed {
		res.Status, res.Code, res.Hard = Failed, "charge_disputed", true
	} else {
		c.refunded += r.Amount.Minor
	}
	t.refunds[r.Key] = res
	return res, nil
}

// Next is when the processor will have something to tell, or the zero time.
func (t *Test) Next() time.Time {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.timers) == 0 {
		return time.Time{}
	}
	return t.timers[0].at
}

// Take gives the events that are due at the processor's now, and forgets them.
func (t *Test) Take() []Event {
	t.mu.Lock()
	defer t.mu.Unlock()
	var out []Event
	for len(t.timers) > 0 && !t.timers[0].at.After(t.now()) {
		e := t.timers[0].e
		if c := t.charges[e.Charge]; e.Kind == DisputeOpened && c != nil {
			c.disputed = true
		}
		out, t.timers = append(out, e), t.timers[1:]
	}
	return out
}

// Authenticate ends the 3-D Secure step of a charge: the customer confirmed it, or failed to.
func (t *Test) Authenticate(chargeID string, ok bool) (Event, error) {
	const op = "payment.Authenticate"
	t.mu.Lock()
	defer t.mu.Unlock()
	c := t.charges[chargeID]
	if c == nil || c.res.Status != Action || c.confirmed {
		return Event{}, fault.Errorf(op, fault.Conflict, "nothing waits for the customer on charge %q", chargeID)
	}
	c.confirmed = true
	e := Event{ID: t.id("evt"), Kind: ChargeSucceeded, At: t.now(), Charge: chargeID, Customer: c.req.Customer, Amount: c.req.Amount}
	if !ok {
		e.Kind, e.Code = ChargeFailed, "authentication_failed"
	}
	return e, nil
}

// Dispute lets the customer's bank take a charge back until it is decided.
func (t *Test) Dispute(chargeID string) (Event, error) {
	return t.dispute(chargeID, DisputeOpened)
}

// Decide ends a dispute.
func (t *Test) Decide(chargeID string, won bool) (Event, error) {
	if won {
		return t.dispute(chargeID, DisputeWon)
	}
	return t.dispute(chargeID, DisputeLost)
}

func (t *Test) dispute(chargeID, kind string) (Event, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	c := t.charges[chargeID]
	if c == nil || c.disputed == (kind == DisputeOpened) || c.decided {
		return Event{}, fault.Errorf("payment.Dispute", fault.Conflict, "%s does not fit charge %q now", kind, chargeID)
	}
	c.disputed, c.decided = kind != DisputeWon, kind != DisputeOpened
	return Event{ID: t.id("evt"), Kind: kind, At: t.now(), Charge: chargeID, Customer: c.req.Customer,
		Amount: money.New(c.req.Amount.Minor-c.refunded, c.req.Amount.Currency)}, nil
}

// Wire lets money arrive on the seller's account.
func (t *Test) Wire(reference string, a money.Amount) (Event, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if a.Minor <= 0 {
		return Event{}, fault.Errorf("payment.Wire", fault.Invalid, "a wire of %s", a)
	}
	id := t.id("evt")
	return Event{ID: id, Kind: WireReceived, At: t.now(), Charge: "wire_" + strconv.Itoa(t.n), Amount: a, Reference: reference}, nil
}
