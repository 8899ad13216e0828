package billing

import (
	"time"

	"github.com/govalues/decimal"

	"holdfast/server/catalog"
	"holdfast/server/money"
	"holdfast/server/period"
)

// Status is where a subscription is in its life.
type Status string

// The statuses. Cancelled may be reactivated; nothing is final.
const (
	Planned   Status = "planned" // starts later
	Trialing  Status = "trialing"
	Active    Status = "active"
	Paused    Status = "paused"
	Cancelled Status = "cancelled"
)

// Item is the plan (Key "") or an add-on of a subscription.
type Item struct {
	Key     string `json:"key,omitempty"`
	Version int    `json:"version"`
}

// Debit is a licensed price that was charged in advance for the running period and is still in force. Value is the
// exact price of a full period; what is credited later comes from it, at the terms of the day on which it was charged.
type Debit struct {
	Line   string      `json:"line"`
	Item   string      `json:"item,omitempty"`
	Price  string      `json:"price"`
	Value  money.Exact `json:"value"`  // minor units, for a full period
	Amount int64       `json:"amount"` // charged, less credited
}

// Segment is a price that is billed afterwards, running since Start.
type Segment struct {
	Item   string      `json:"item,omitempty"`
	Price  string      `json:"price"`
	Start  time.Time   `json:"start"`
	Billed int64       `json:"billed"`          // by invoices at thresholds
	Value  money.Exact `json:"value,omitempty"` // of a licensed price
}

// Redeemed is a coupon in use, with the terms it had on that day.
type Redeemed struct {
	ID      string          `json:"id"`
	Percent decimal.Decimal `json:"percent"`
	Amount  int64           `json:"amount"`
	Plans   []string        `json:"plans,omitempty"`
	Prices  []string        `json:"prices,omitempty"`
	Cycles  int             `json:"cycles"` // in how many periods it takes something off; 0 is in all
	Uses    []Use           `json:"uses,omitempty"`
}

// Use is what a coupon took off an invoice, less what credit notes gave back. Period names the full period that ran.
type Use struct {
	Period  string `json:"period"`
	Invoice string `json:"invoice"`
	Amount  int64  `json:"amount"`
}

// Scheduled is a change that waits.
type Scheduled struct {
	At     time.Time `json:"at,omitzero"`
	AtEnd  bool      `json:"at_end,omitempty"` // of the period that runs then
	Change Change    `json:"change"`
}

// Sub is a subscription: the fold of its events. It is only ever changed by Apply.
type Sub struct {
	ID         string           `json:"id"`
	Seq        int              `json:"seq"`
	Currency   money.Currency   `json:"currency"`
	Status     Status           `json:"status"`
	Plan       string           `json:"plan"`
	Items      []Item           `json:"items"` // the plan first, then add-ons in the order in which they were added
	Quantities map[string]int64 `json:"quantities"`
	Starts     time.Time        `json:"starts"`
	TrialDays  int              `json:"trial_days,omitempty"`
	TrialEnd   time.Time        `json:"trial_end,omitzero"`
	Anchor     time.Time        `json:"anchor,omitzero"`
	Period     period.Span      `json:"period"` // that is being served
	Full       period.Span      `json:"full"`   // the whole period of which Period is a part
	Cycle      int              `json:"cycle"`  // periods begun
	PlanCycle  int              `json:"plan_cycle"`
	PlanSince  time.Time        `json:"plan_since,omitzero"`
	Spent      int64            `json:"spent"` // on the plan in this period, for its minimum
	Passed     int              `json:"passed"`
	Debits     []Debit          `json:"debits,omitempty"`
	Segments   []Segment        `json:"segments,omitempty"`
	Coupons    []Redeemed       `json:"coupons,omitempty"`
	Scheduled  []Scheduled      `json:"scheduled,omitempty"`
	Ends       time.Time        `json:"ends,omitzero"`
	ResumeAt   time.Time        `json:"resume_at,omitzero"`
	Since      time.Time        `json:"since"` // of the status
	Reason     string           `json:"reason,omitempty"`
}

// Kind names what happened to a subscription.
type Kind string

// The kinds of events. Append only: they are kept for ever.
const (
	EvCreated      Kind = "created"
	EvTrial        Kind = "trial-started"
	EvPeriod       Kind = "period-started"
	EvPlan         Kind = "plan-changed"
	EvQuantity     Kind = "quantity-changed"
	EvAddonAdded   Kind = "addon-added"
	EvAddonRemoved Kind = "addon-removed"
	EvDebit        Kind = "charged"
	EvCut          Kind = "charge-cut"
	EvSegment      Kind = "usage-opened"
	EvClosed       Kind = "usage-closed"
	EvInterim      Kind = "usage-billed"
	EvThreshold    Kind = "threshold-passed"
	EvMinimum      Kind = "minimum-charged"
	EvScheduled    Kind = "change-scheduled"
	EvUnscheduled  Kind = "change-unscheduled"
	EvRefused      Kind = "change-refused" // a scheduled change that had become impossible
	EvEnds         Kind = "cancellation-scheduled"
	EvStays        Kind = "cancellation-undone"
	EvPaused       Kind = "paused"
	EvCancelled    Kind = "cancelled"
	EvResumed      Kind = "resumed"
	EvCoupon       Kind = "coupon-redeemed"
	EvCouponGone   Kind = "coupon-removed"
	EvCouponUsed   Kind = "coupon-used"
)

// Event is a fact about a subscription; which fields it uses depends on its kind.
type Event struct {
	Seq        int              `json:"seq"`
	At         time.Time        `json:"at"`
	Kind       Kind             `json:"kind"`
	ID         string           `json:"id,omitempty"`
	Currency   money.Currency   `json:"currency,omitempty"`
	Plan       string           `json:"plan,omitempty"`
	Item       *Item            `json:"item,omitempty"`
	Quantities map[string]int64 `json:"quantities,omitempty"`
	When       time.Time        `json:"when,omitzero"`
	Anchor     time.Time        `json:"anchor,omitzero"`
	Period     *period.Span     `json:"period,omitempty"`
	Full       *period.Span     `json:"full,omitempty"`
	Debit      *Debit           `json:"debit,omitempty"`
	Segment    *Segment         `json:"segment,omitempty"`
	Value      *money.Exact     `json:"value,omitempty"`
	Amount     int64            `json:"amount,omitempty"`
	Change     *Change          `json:"change,omitempty"`
	AtEnd      bool             `json:"at_end,omitempty"`
	Coupon     *Redeemed        `json:"coupon,omitempty"`
	Use        *Use             `json:"use,omitempty"`
	N          int              `json:"n,omitempty"`
	Text       string           `json:"text,omitempty"`
}

// Fold replays a history.
func Fold(events []Event) Sub {
	var s Sub
	for _, e := range events {
		s = s.Apply(e)
	}
	return s
}

// Apply is the state after an event. It changes nothing in s.
func (s Sub) Apply(e Event) Sub {
	s.Seq = e.Seq
	switch e.Kind {
	case EvCreated:
		s = Sub{Seq: e.Seq, ID: e.ID, Currency: e.Currency, Status: Planned, Plan: e.Plan, Items: []Item{*e.Item}, Starts: e.When,
			TrialDays: e.N, Anchor: e.Anchor, Since: e.At, PlanSince: e.When}
		s.Quantities = merged(nil, e.Quantities)
	case EvTrial:
		s.Status, s.TrialEnd, s.Since = Trialing, e.When, e.At
	case EvPeriod:
		again := s.Cycle > 0 && s.Full.Start.Equal(e.Full.Start) && s.Full.End.Equal(e.Full.End) &&
			s.PlanCycle > 0 // resumed within a period
		s.Status, s.Anchor, s.Period, s.Full = Active, e.Anchor, *e.Period, *e.Full
		if !again {
			s.Cycle++
			s.PlanCycle++
		}
		s.Spent, s.Passed, s.Debits = 0, 0, nil
		s.Since = e.At
	case EvPlan:
		s.Plan, s.PlanSince, s.PlanCycle, s.Spent, s.Passed = e.Plan, e.At, e.N, 0, 0
		s.Items = append([]Item{*e.Item}, s.Items[1:]...)
	case EvQuantity:
		s.Quantities = merged(s.Quantities, e.Quantities)
	case EvAddonAdded:
		s.Items = append(s.Items[:len(s.Items):len(s.Items)], *e.Item)
	case EvAddonRemoved:
		s.Items = filter(s.Items, func(i Item) bool { return i.Key != e.Item.Key })
	case EvPaused:
		s.Status, s.ResumeAt, s.Since, s.Reason = Paused, e.When, e.At, e.Text
	case EvCancelled:
		s.Status, s.Since, s.Reason = Cancelled, e.At, e.Text
		s.Ends, s.Scheduled, s.ResumeAt = time.Time{}, nil, time.Time{}
	case EvResumed:
		s.Status, s.ResumeAt, s.Since = Active, time.Time{}, e.At
		if s.Ends.IsZero() {
			s.Reason = ""
		}
	default:
		s = s.applyMoney(e)
	}
	return s
}

func (s Sub) applyMoney(e Event) Sub {
	switch e.Kind {
	case EvDebit:
		s.Debits = append(s.Debits[:len(s.Debits):len(s.Debits)], *e.Debit)
		if e.Debit.Item == "" {
			s.Spent += e.Debit.Amount
		}
	case EvCut:
		s.Debits = append([]Debit(nil), s.Debits...)
		for i := range s.Debits {
			if d := &s.Debits[i]; d.Line == e.ID {
				d.Value = *e.Value
				d.Amount -= e.Amount
				if d.Item == "" {
					s.Spent -= e.Amount
				}
			}
		}
		s.Debits = filter(s.Debits, func(d Debit) bool { return d.Value.Sign() > 0 })
	case EvSegment:
		s.Segments = append(s.Segments[:len(s.Segments):len(s.Segments)], *e.Segment)
	case EvClosed:
		s.Segments = filter(s.Segments, func(g Segment) bool { return g.Item != e.Segment.Item || g.Price != e.Segment.Price })
		if e.Segment.Item == "" {
			s.Spent += e.Amount
		}
	case EvInterim:
		s.Segments = append([]Segment(nil), s.Segments...)
		for i := range s.Segments {
			if g := &s.Segments[i]; g.Item == e.Segment.Item && g.Price == e.Segment.Price {
				g.Billed += e.Amount
				if g.Item == "" {
					s.Spent += e.Amount
				}
			}
		}
	case EvThreshold:
		s.Passed = e.N
	case EvMinimum:
		s.Spent += e.Amount
	case EvScheduled:
		s.Scheduled = append(s.Scheduled[:len(s.Scheduled):len(s.Scheduled)], Scheduled{e.When, e.AtEnd, *e.Change})
	case EvUnscheduled:
		s.Scheduled = append(append([]Scheduled(nil), s.Scheduled[:e.N]...), s.Scheduled[e.N+1:]...)
	case EvEnds:
		s.Ends, s.Reason = e.When, e.Text
	case EvStays:
		s.Ends, s.Reason = time.Time{}, ""
	case EvCoupon:
		s.Coupons = append(s.Coupons[:len(s.Coupons):len(s.Coupons)], *e.Coupon)
	case EvCouponGone:
		s.Coupons = filter(s.Coupons, func(c Redeemed) bool { return c.ID != e.ID })
	case EvCouponUsed:
		s.Coupons = append([]Redeemed(nil), s.Coupons...)
		for i := range s.Coupons {
			if c := &s.Coupons[i]; c.ID == e.ID {
				c.Uses = used(c.Uses, *e.Use)
			}
		}
	}
	return s
}

// used adds to what a coupon took off an invoice; what comes back whole was never used.
func used(list []Use, u Use) []Use {
	out := []Use{}
	for _, x := range list {
		if x.Invoice == u.Invoice && x.Period == u.Period {
			u.Amount += x.Amount
			continue
		}
		out = append(out, x)
	}
	if u.Amount > 0 {
		out = append(out, u)
	}
	return out
}

// periodName names the full period that runs.
func (s Sub) periodName() string {
	return s.Full.Start.UTC().Format(time.RFC3339) + "/" + s.Full.End.UTC().Format(time.RFC3339)
}

// left is what the coupon may still take off in the running period: its amount (0 for a percentage), and whether it
// counts at all.
func (r Redeemed) left(period string) (int64, bool) {
	amount, periods := r.Amount, map[string]bool{}
	for _, u := range r.Uses {
		periods[u.Period] = true
		if u.Period == period {
			amount -= u.Amount
		}
	}
	if r.Cycles > 0 && len(periods) >= r.Cycles && !periods[period] {
		return 0, false
	}
	return max(amount, 0), !r.Percent.IsZero() || amount > 0
}

func merged(a, b map[string]int64) map[string]int64 {
	out := make(map[string]int64, len(a)+len(b))
	for k, v := range a {
		out[k] = v
	}
	for k, v := range b {
		out[k] = v
	}
	return out
}

func filter[T any](list []T, keep func(T) bool) []T {
	var out []T
	for _, x := range list {
		if keep(x) {
			out = append(out, x)
		}
	}
	return out
}

// Live tells whether the subscription is neither cancelled nor the zero Sub.
func (s Sub) Live() bool { return s.ID != "" && s.Status != Cancelled }

// terms finds the version of an item in the catalogue.
func (s Sub) terms(c *catalog.Catalog, key string) (*catalog.Version, error) {
	for _, i := range s.Items {
		if i.Key != key {
			continue
		}
		if key == "" {
			p, err := c.Plan(s.Plan)
			if err != nil {
				return nil, err
			}
			return p.Number(i.Version)
		}
		p, err := c.Addon(key)
		if err != nil {
			return nil, err
		}
		return p.Number(i.Version)
	}
	return nil, noAddon(key)
}
