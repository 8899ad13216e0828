package billing

import (
	"time"

	"holdfast/server/invoice"
	"holdfast/server/ledger"
	"holdfast/sync/fault"
)

// alarm is something that time alone brings about.
type alarm struct {
	at   time.Time
	what func(*tx, time.Time) error
}

// next is the account's earliest alarm; of several at one moment, the first in the order below. ok is false if nothing
// waits.
func (a *Account) next(t *tx) (first alarm, ok bool) {
	see := func(at time.Time, what func(*tx, time.Time) error) {
		if !at.IsZero() && (!ok || at.Before(first.at)) {
			first, ok = alarm{at, what}, true
		}
	}
	for _, w := range a.Waits {
		see(w.Until, func(t *tx, _ time.Time) error { return t.issue(w.Invoice) })
	}
	for _, g := range a.Credits {
		if g.Left > 0 && g.Active {
			see(g.Expires, func(t *tx, _ time.Time) error { return t.expire() })
		}
	}
	for _, o := range a.Overrides {
		see(o.Until, func(t *tx, _ time.Time) error { t.asInPlan(o.Feature); return nil })
	}
	a.subAlarms(see)
	for _, c := range a.Chases {
		see(c.Retry, func(t *tx, _ time.Time) error { return t.retry(c.Invoice) })
	}
	a.dunningAlarms(t, see)
	see(a.nextMonth(t), func(t *tx, at time.Time) error { return t.recogniseUpTo(at) })
	return first, ok
}

func (a *Account) subAlarms(see func(time.Time, func(*tx, time.Time) error)) {
	s := a.Sub()
	at := how{reason: "cycle", memo: "scheduled change"}
	switch s.Status {
	case Planned:
		see(s.Starts, func(t *tx, now time.Time) error { return t.run(now, at, (*step).start) })
	case Trialing:
		if soon := s.TrialEnd.Add(-TrialWarning); soon.After(s.Since) && !a.Alerted[trialKey(s)] {
			see(soon, func(t *tx, _ time.Time) error {
				t.Alerted = merge(t.Alerted, trialKey(s))
				t.mail("subscription.trial_ending", s.ID, "The trial of %s ends at %s", s.Plan, s.TrialEnd.Format("2006-01-02 15:04"))
				return nil
			})
		}
		see(s.TrialEnd, func(t *tx, now time.Time) error {
			if !s.Ends.IsZero() {
				return t.run(now, at, func(st *step) error { return st.cancel("none", s.Reason) })
			}
			return t.run(now, at, (*step).begin)
		})
	case Active:
		cycle := at
		cycle.waits = true
		see(s.Period.End, func(t *tx, now time.Time) error { return t.run(now, cycle, (*step).turn) })
	case Paused:
		see(s.Ends, func(t *tx, now time.Time) error {
			return t.run(now, at, func(st *step) error { return st.cancel("none", s.Reason) })
		})
		see(s.ResumeAt, func(t *tx, now time.Time) error {
			return t.run(now, how{reason: "resume"}, func(st *step) error { return st.resume(Paused, false) })
		})
	}
	if (s.Status == Cancelled || s.Status == Paused) && len(a.Closed) > 0 && a.LateChecked.Before(s.Since) {
		see(s.Since.Add(LateAfterEnd), func(t *tx, _ time.Time) error {
			t.LateChecked = s.Since
			return t.bill(how{reason: "late", waits: true}, nil, nil)
		})
	}
	if s.Live() {
		for i, w := range s.Scheduled {
			if w.AtEnd || s.Status == Active && !w.At.Before(s.Period.End) {
				continue // the turn of the period does it
			}
			see(w.At, func(t *tx, now time.Time) error { return t.scheduled(now, i) })
		}
	}
}

func trialKey(s Sub) string { return "trial/" + s.ID + "/" + s.TrialEnd.Format(time.RFC3339) }

// scheduled makes a change whose moment has come. What has become impossible is reported and dropped.
func (t *tx) scheduled(now time.Time, i int) error {
	c := t.Sub().Scheduled[i].Change
	h := how{reason: "change", memo: "change of plan", refund: c.Credit == "refund", next: c.Invoice == "next"}
	trial := t.fork()
	err := trial.run(now, h, func(s *step) error {
		s.emit(Event{Kind: EvUnscheduled, N: i})
		return s.change(c)
	})
	if err == nil {
		*t.Account, *t.nums = *trial.Account, *trial.nums
		return nil
	}
	return t.run(now, h, func(s *step) error {
		s.emit(Event{Kind: EvUnscheduled, N: i})
		s.emit(Event{Kind: EvRefused, Text: fault.DetailOf(err)})
		return nil
	})
}

func (t *tx) retry(id string) error {
	if c := t.chase(id); c != nil {
		c.Retry = time.Time{}
	}
	t.collect(t.Invoice(id))
	return nil
}

// dunningAlarms watch open invoices: when one is overdue, when the workspace is restricted, when patience ends.
func (a *Account) dunningAlarms(t *tx, see func(time.Time, func(*tx, time.Time) error)) {
	d := t.cat.Dunning
	for i := range a.Invoices {
		v := &a.Invoices[i]
		if v.State != invoice.Open || v.Due() == 0 || a.chase(v.ID) != nil || a.busy(v.ID) {
			continue
		}
		id := v.ID
		if low, ok := d.Minimum[a.Currency]; ok && v.Due() < minorOf(low, a.Currency) {
			continue
		}
		see(v.DueBy, func(t *tx, _ time.Time) error { t.chaseUp(id); return nil })
	}
	for _, c := range a.Chases {
		if !a.Restricted && d.Restrict > 0 {
			see(c.First.Add(d.Restrict), func(t *tx, _ time.Time) error {
				t.Restricted = true
				t.mail("account.restricted", t.ID, "The workspace can only be read until what is owed is paid; nothing is lost")
				return nil
			})
		}
		if !c.Ended && d.End > 0 {
			see(c.First.Add(d.End), func(t *tx, now time.Time) error { return t.end(c.Invoice, now) })
		}
	}
}

// busy tells whether a payment for the invoice has no answer yet.
func (a *Account) busy(id string) bool {
	t := tx{Account: a}
	return t.underway(id)
}

// end is the end of patience with an unpaid invoice.
func (t *tx) end(id string, now time.Time) error {
	t.chase(id).Ended = true
	t.chase(id).Retry = time.Time{}
	switch t.cat.Dunning.Action {
	case "cancel":
		if s := t.Sub(); s.Live() {
			if err := t.run(now, how{reason: "cycle"}, func(s *step) error { return s.cancel("none", "unpaid") }); err != nil {
				return err
			}
		}
		if v := t.Invoice(id); v.State != invoice.Open {
			return nil // what the end took back has settled it
		}
		return t.giveUp(id)
	case "unpaid":
		if t.Sub().Status == Active {
			return t.run(now, how{reason: "cycle"}, func(s *step) error { return s.pause(time.Time{}, "none", "unpaid") })
		}
	}
	return nil
}

// giveUp marks an invoice uncollectible and books the loss.
func (t *tx) giveUp(id string) error {
	v := t.Invoice(id)
	due := v.Due()
	done, err := v.GiveUp(t.now)
	if err != nil {
		return err
	}
	*v = done
	t.mail("invoice.uncollectible", v.Number, "%s of invoice %s is given up as uncollectible", t.text(due), v.Number)
	t.Chases = filter(t.Chases, func(c Chase) bool { return c.Invoice != id }) // access stays as it is: nothing was paid
	return t.post(id+"/lost/"+t.now.Format(time.RFC3339), v.Number, "uncollectible", ledger.Debit(ledger.BadDebt, due),
		ledger.Credit(ledger.Receivable, due))
}

// month is the first moment of the month after t.
func month(t time.Time) time.Time {
	return time.Date(t.Year(), t.Month()+1, 1, 0, 0, 0, 0, t.Location())
}

// nextMonth is when revenue is recognised next: at the turn of a month while something is not recognised.
func (a *Account) nextMonth(t *tx) time.Time {
	for _, e := range a.Earnings {
		if e.Posted != e.Amount {
			return month(a.Recognised.In(t.cat.Zone))
		}
	}
	return time.Time{}
}

// recognise books what is earned of days before today and not booked yet, such as usage that is billed after its month.
func (t *tx) recognise() error { return t.recogniseUpTo(t.now) }

// recogniseUpTo books what is earned before the day of at, each month on its own, in that month's books.
func (t *tx) recogniseUpTo(at time.Time) error {
	zone := t.cat.Zone
	at = at.In(zone)
	t.Recognised = at
	sums := map[time.Time]int64{} // by the first moment of the next month, or at
	var ends []time.Time
	for i := range t.Earnings {
		e := &t.Earnings[i]
		from := e.Span.Start
		if e.To.After(from) {
			from = e.To
		}
		for m := month(from.In(zone)); e.Posted != e.Amount; m = month(m) {
			end := m
			if end.After(at) {
				end = at
			}
			if n := e.Earned(end, zone) - e.Posted; n != 0 {
				if _, ok := sums[end]; !ok {
					ends = append(ends, end)
				}
				sums[end] += n
				e.Posted += n
			}
			e.To = end
			if !m.Before(at) {
				break
			}
		}
	}
	for _, end := range ends {
		effective, n := end, sums[end]
		if end.Equal(month(end.Add(-1))) {
			effective = end.Add(-time.Second) // the last of the month that ended
		}
		t.Docs++
		if err := t.Book.Post(ledger.Tx{Key: "rev_" + t.ID + "_" + itoa(t.Docs), At: t.now, Effective: effective,
			Customer: t.ID, Memo: "revenue recognised", Currency: t.Currency,
			Entries: []ledger.Entry{ledger.Debit(ledger.Deferred, n), ledger.Credit(ledger.Revenue, n)}}); err != nil {
			return err
		}
	}
	return nil
}
