package billing

import (
	"fmt"
	"time"

	"holdfast/server/catalog"
	"holdfast/server/invoice"
	"holdfast/server/ledger"
	"holdfast/server/money"
	"holdfast/server/payment"
	"holdfast/sync/fault"
)

// Numbers are the last numbers given out. Documents get theirs when they are issued, in the transaction that issues
// them, so that no number is ever missing or used twice.
type Numbers struct {
	Invoices, Notes int64
	By              map[string]int64 // customer → invoices; "customer/n" → notes
}

func (n Numbers) clone() Numbers {
	by := make(map[string]int64, len(n.By))
	for k, v := range n.By {
		by[k] = v
	}
	n.By = by
	return n
}

// tx is one command or one tick of the clock on a copy of an account.
type tx struct {
	*Account
	cat    *catalog.Catalog
	now    time.Time
	nums   *Numbers
	uses   func(coupon string) int
	checks func(payment.Method) error
}

func (t *tx) notice(kind, ref, format string, args ...any) { t.tell(false, kind, ref, format, args...) }
func (t *tx) mail(kind, ref, format string, args ...any)   { t.tell(true, kind, ref, format, args...) }

func (t *tx) tell(mail bool, kind, ref, format string, args ...any) {
	t.Notices = append(t.Notices, Notice{ID: len(t.Notices) + 1, At: t.now, Kind: kind, Ref: ref,
		Text: fmt.Sprintf(format, args...), Mail: mail})
}

func (t *tx) text(n int64) string { return money.New(n, t.Currency).String() }

func (t *tx) post(key, doc, memo string, entries ...ledger.Entry) error {
	return t.Book.Post(ledger.Tx{Key: key, At: t.now, Customer: t.ID, Document: doc, Memo: memo, Currency: t.Currency,
		Entries: entries})
}

func (t *tx) number(note bool) string {
	r := t.cat.Invoices
	prefix, n := r.Prefix, &t.nums.Invoices
	if note {
		prefix, n = r.CreditPrefix, &t.nums.Notes
	}
	if !r.PerCustomer {
		*n++
		return fmt.Sprintf("%s%0*d", prefix, r.Digits, *n)
	}
	key := t.ID
	if note {
		key += "/n"
	}
	t.nums.By[key]++
	return fmt.Sprintf("%s%s-%0*d", prefix, t.ID, r.Digits, t.nums.By[key])
}

func (t *tx) doc(kind string) string {
	t.Docs++
	return fmt.Sprintf("%s_%s_%d", kind, t.ID, t.Docs)
}

// how says what becomes of the outcome of a step.
type how struct {
	reason string
	next   bool   // lines wait for the next invoice
	refund bool   // what is taken back is paid back, as far as it was paid
	waits  bool   // the invoice may wait for late usage
	memo   string // on credit notes
}

// run decides a step on the current subscription and books what comes of it.
func (t *tx) run(at time.Time, h how, decide func(*step) error) error {
	s := &step{cat: t.cat, usage: t.Usage, at: at.In(t.cat.Zone), sub: t.Sub(), line: func() string {
		t.Lines++
		return fmt.Sprintf("%s-%d", t.ID, t.Lines)
	}}
	if len(t.Subs) == 0 {
		return fault.Errorf("billing.run", fault.NotFound, "%s has no subscription", t.ID)
	}
	if err := decide(s); err != nil {
		return err
	}
	t.record(s.sub, s.events)
	if err := t.takeBack(s.takes, h); err != nil {
		return err
	}
	t.Pending = append(t.Pending, s.later...)
	if h.next {
		t.Pending = append(t.Pending, s.lines...)
		t.Closed = append(t.Closed, s.closed...)
		return nil
	}
	return t.bill(h, s.lines, s.closed)
}

// record keeps the events and the state after them.
func (t *tx) record(sub Sub, events []Event) {
	t.Subs[len(t.Subs)-1] = sub
	for _, e := range events {
		t.Events = append(t.Events, SubEvent{sub.ID, e})
		switch e.Kind {
		case EvDebit, EvCut, EvSegment, EvClosed, EvInterim, EvCouponUsed, EvMinimum:
		case EvTrial:
			t.mail("subscription.trial", sub.ID, "The trial of %s runs until %s", sub.Plan, e.When.Format("2006-01-02 15:04"))
		case EvEnds:
			t.mail("subscription.ends", sub.ID, "%s ends at %s", sub.Plan, e.When.Format("2006-01-02 15:04"))
		case EvCancelled:
			t.mail("subscription.cancelled", sub.ID, "%s is cancelled; the workspace can still be read", sub.Plan)
		case EvPlan:
			t.mail("subscription.plan-changed", sub.ID, "The plan is %s now", sub.Plan)
		case EvRefused:
			t.mail("subscription.change_refused", sub.ID, "A scheduled change could not be made: %s", e.Text)
		default:
			t.notice("subscription."+string(e.Kind), sub.ID, "%s: %s", sub.Plan, e.Kind)
		}
	}
}

// emit records a single event outside a step.
func (t *tx) emit(e Event) {
	sub := t.Sub()
	e.Seq, e.At = sub.Seq+1, t.now
	t.record(sub.Apply(e), []Event{e})
}

// takeBack credits lines wherever they are: pending lines and drafts are simply lowered, issued invoices get a note
// each.
func (t *tx) takeBack(takes []take, h how) error {
	var order []string
	byInvoice := map[string][]invoice.Take{}
next:
	for _, k := range takes {
		for i := range t.Pending {
			if p := &t.Pending[i]; p.ID == k.line {
				p.Amount -= k.amount
				p.Parts = append(p.Parts[:len(p.Parts):len(p.Parts)], part("taken back", -k.amount))
				continue next
			}
		}
		for i := range t.Invoices {
			v := &t.Invoices[i]
			l := v.Line(k.line)
			switch {
			case l == nil:
				continue
			case v.State == invoice.Draft:
				v.Lines = copied(v.Lines)
				l = v.Line(k.line)
				l.Amount -= k.amount
				l.Parts = append(l.Parts[:len(l.Parts):len(l.Parts)], part("taken back", -k.amount))
			case v.State == invoice.Void:
			default:
				if byInvoice[v.ID] == nil {
					order = append(order, v.ID)
				}
				byInvoice[v.ID] = append(byInvoice[v.ID], invoice.Take{Line: k.line,
					Amount: min(k.amount, v.Left(k.line, t.Notes)), Span: k.span, Name: "Unused time of " + l.Name})
			}
			continue next
		}
	}
	t.Pending = filter(t.Pending, func(l invoice.Line) bool { return l.Amount != 0 })
	for _, id := range order {
		list := filter(byInvoice[id], func(k invoice.Take) bool { return k.Amount > 0 })
		if len(list) == 0 {
			continue
		}
		if err := t.note(t.Invoice(id), list, h.memo, h.refund); err != nil {
			return err
		}
	}
	return nil
}

// fork is the same transaction on a further copy, for what may fail without failing the whole.
func (t *tx) fork() *tx {
	f := *t
	nums := t.nums.clone()
	f.Account, f.nums = t.Account.clone(), &nums
	return &f
}
