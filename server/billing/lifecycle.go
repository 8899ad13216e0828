package billing

import (
	"time"

	"holdfast/server/period"
	"holdfast/sync/fault"
)

// Subscribe starts a subscription.
type Subscribe struct {
	ID         string
	Plan       string
	Version    int // 0: the one for sale at the start
	Quantities map[string]int64
	Addons     []string
	TrialDays  *int      // nil: the plan's
	Starts     time.Time // zero: now; earlier is billed from then
	Anchor     time.Time // zero: the start, or the calendar's
	Coupons    []string
}

// create decides a new subscription.
func (s *step) create(c Subscribe) error {
	const op = "billing.Subscribe"
	starts := c.Starts.In(s.cat.Zone)
	if c.Starts.IsZero() {
		starts = s.at
	}
	if s.at.Sub(starts) > BackdateMax {
		return fault.Errorf(op, fault.Invalid, "a subscription starts at most %d days in the past", int(BackdateMax.Hours()/24))
	}
	now := s.at
	s.at = starts
	v, err := s.version(c.Plan, c.Version)
	s.at = now
	if err != nil {
		return err
	}
	if c.TrialDays != nil && *c.TrialDays < 0 {
		return fault.Errorf(op, fault.Invalid, "a trial of %d days", *c.TrialDays)
	}
	if !c.Anchor.IsZero() && v.Align == "calendar" {
		return fault.Errorf(op, fault.Invalid, "%s is billed by the calendar and takes no anchor", c.Plan)
	}
	wanted := v.Quantities()
	for _, a := range c.Addons {
		addon, err := s.cat.Addon(a)
		if err != nil {
			return err
		}
		av, err := addon.At(starts)
		if err != nil {
			return err
		}
		wanted = append(wanted, av.Quantities()...)
	}
	if err := quantities(wanted, nil, c.Quantities, c.Plan); err != nil {
		return err
	}
	days := v.TrialDays
	if c.TrialDays != nil {
		days = *c.TrialDays
	}
	s.emit(Event{Kind: EvCreated, ID: c.ID, Currency: s.sub.Currency, Plan: c.Plan, Item: &Item{Version: v.Number},
		Quantities: c.Quantities, When: starts,
		Anchor: c.Anchor, N: days})
	for _, a := range c.Addons {
		if has(s.sub.Items, a) {
			return fault.Errorf(op, fault.Invalid, "the add-on %q is named twice", a)
		}
		if err := s.addItem(a); err != nil {
			return err
		}
	}
	if starts.After(s.at) {
		return nil
	}
	s.at = starts
	return s.start()
}

// start begins the trial, or the first period, at s.at.
func (s *step) start() error {
	if s.sub.TrialDays > 0 {
		s.emit(Event{Kind: EvTrial, When: s.at.AddDate(0, 0, s.sub.TrialDays)})
		return nil
	}
	return s.begin()
}

// begin starts the first period at s.at.
func (s *step) begin() error {
	v, err := s.plan()
	if err != nil {
		return err
	}
	return s.openPeriod(s.anchorFor(v, false))
}

// openPeriod starts a period at s.at in the series of anchor, charges what is charged in advance, and opens what is
// counted.
func (s *step) openPeriod(anchor time.Time) error {
	v, err := s.plan()
	if err != nil {
		return err
	}
	full := v.Interval.Containing(anchor, s.at)
	s.emit(Event{Kind: EvPeriod, Anchor: anchor, Period: &period.Span{Start: s.at, End: full.End}, Full: &full})
	if ends := s.sub.Ends; !ends.IsZero() && !ends.Equal(full.End) { // what was cancelled ends with the period that runs
		s.emit(Event{Kind: EvEnds, When: full.End, Text: s.sub.Reason})
	}
	for _, i := range s.sub.Items {
		iv, err := s.sub.terms(s.cat, i.Key)
		if err != nil {
			return err
		}
		if err := s.open(iv, i.Key, nil); err != nil {
			return err
		}
	}
	return nil
}

// turn ends the running period at its end, bills what was counted, applies what waited for it, and starts the next.
func (s *step) turn() error {
	if err := s.closeAll(func(Segment) bool { return true }); err != nil {
		return err
	}
	if err := s.minimum(); err != nil {
		return err
	}
	if !s.sub.Ends.IsZero() && !s.sub.Ends.After(s.at) {
		s.emit(Event{Kind: EvCancelled, Text: s.sub.Reason})
		return nil
	}
	old, err := s.plan()
	if err != nil {
		return err
	}
	reset := false
	planned := s.sub.PlanCycle
	for i := 0; i < len(s.sub.Scheduled); {
		w := s.sub.Scheduled[i]
		if !w.AtEnd && w.At.After(s.at) {
			i++
			continue
		}
		s.emit(Event{Kind: EvUnscheduled, N: i})
		if err := s.check(&w.Change); err != nil {
			s.emit(Event{Kind: EvRefused, Text: fault.DetailOf(err)})
			continue
		}
		if err := s.changeQuiet(w.Change); err != nil {
			return err
		}
		reset = reset || w.Change.Anchor == "reset"
	}
	if n := old.Next; n != nil && planned >= n.After && s.sub.Plan == old.Plan {
		next := Change{Plan: n.Plan}
		if err := s.check(&next); err == nil {
			if err := s.changeQuiet(next); err != nil {
				return err
			}
		} else {
			s.emit(Event{Kind: EvRefused, Text: fault.DetailOf(err)})
		}
	}
	v, err := s.plan()
	if err != nil {
		return err
	}
	return s.openPeriod(s.anchorFor(v, reset))
}

// cancel ends the subscription now.
func (s *step) cancel(credit, why string) error {
	switch s.sub.Status {
	case Active:
		if err := s.stop(credit); err != nil {
			return err
		}
	case Cancelled:
		return fault.Errorf("billing.Cancel", fault.Conflict, "the subscription is cancelled already")
	}
	s.emit(Event{Kind: EvCancelled, Text: why})
	return nil
}

// stop bills usage until now and takes back what was charged for later.
func (s *step) stop(credit string) error {
	v, err := s.plan()
	if err != nil {
		return err
	}
	if err := s.closeAll(func(Segment) bool { return true }); err != nil {
		return err
	}
	if credit != "none" && !s.still(v) { // what is not given back stays in force, should it be resumed
		if err := s.cutAll(v, func(Debit) bool { return true }); err != nil {
			return err
		}
	}
	return s.minimum()
}

func (s *step) cancelAtEnd(why string) error {
	end := s.sub.Period.End
	switch s.sub.Status {
	case Active:
	case Trialing:
		end = s.sub.TrialEnd
	default:
		return fault.Errorf("billing.Cancel", fault.Conflict, "nothing runs that could end; the subscription is %s", s.sub.Status)
	}
	if !s.sub.Ends.IsZero() {
		return fault.Errorf("billing.Cancel", fault.Conflict, "the subscription already ends at %s", s.sub.Ends.Format(time.RFC3339))
	}
	s.emit(Event{Kind: EvEnds, When: end, Text: why})
	return nil
}

func (s *step) stay() error {
	if s.sub.Ends.IsZero() || !s.sub.Live() {
		return fault.Errorf("billing.Stay", fault.Conflict, "no cancellation is waiting")
	}
	s.emit(Event{Kind: EvStays})
	return nil
}

func (s *step) pause(until time.Time, credit, why string) error {
	const op = "billing.Pause"
	if s.sub.Status != Active {
		return fault.Errorf(op, fault.Conflict, "only an active subscription can be paused; this one is %s", s.sub.Status)
	}
	if !until.IsZero() && !until.After(s.at) {
		return fault.Errorf(op, fault.Invalid, "it cannot resume in the past")
	}
	if err := s.stop(credit); err != nil {
		return err
	}
	s.emit(Event{Kind: EvPaused, When: until, Text: why})
	return nil
}

// resume starts again after a pause or a cancellation.
func (s *step) resume(from Status, reset bool) error {
	if s.sub.Status != from {
		return fault.Errorf("billing.Resume", fault.Conflict, "the subscription is %s, not %s", s.sub.Status, from)
	}
	v, err := s.plan()
	if err != nil {
		return err
	}
	if !reset && len(s.sub.Debits) > 0 && s.at.Before(s.sub.Period.End) {
		return s.goOn()
	}
	s.emit(Event{Kind: EvResumed})
	return s.openPeriod(s.anchorFor(v, reset))
}

// goOn resumes within a period whose charges were never credited: they still cover the rest of it.
func (s *step) goOn() error {
	s.emit(Event{Kind: EvResumed})
	for _, i := range s.sub.Items {
		v, err := s.sub.terms(s.cat, i.Key)
		if err != nil {
			return err
		}
		covered := map[string]bool{}
		for _, d := range s.sub.Debits {
			covered[d.Price] = covered[d.Price] || d.Item == i.Key
		}
		if err := s.open(v, i.Key, covered); err != nil {
			return err
		}
	}
	return nil
}
