package outbox

import (
	"strings"
	"testing"
	"time"

	"holdfast/server/billingdb"
	"holdfast/sync/fault"
)

// Dunning on a test clock: the workspace's own address hears every event, marked; the operator's only if it asked to; mails can be read and
// are not sent.
func TestBM37_TestClocksAreToldAndMarked(t *testing.T) {
	w, own, operators, tests := newWorld(t), newReceiver(t), newReceiver(t), newReceiver(t)
	p := newPost(t, "127.0.0.1:0")
	w.through(p.addr)
	ctx := t.Context()
	w.address("pay@acme.example")
	w.pass()
	e, err := w.out.Add(ctx, string(w.ws), Wish{URL: own.url})
	must(t, err)
	_, err = w.out.Add(ctx, "", Wish{URL: operators.url})
	must(t, err)
	_, err = w.out.Add(ctx, "", Wish{URL: tests.url, Events: []string{"account.restricted"}, Tests: true})
	must(t, err)

	start := time.Date(2027, 1, 31, 12, 0, 0, 0, time.UTC)
	_, err = w.bill.StartTestClock(ctx, w.ws, start)
	must(t, err)
	w.card("fails-once")
	w.plan("team")
	w.after(time.Second)
	w.card("generic-decline")
	_, err = w.bill.AdvanceTestClock(ctx, w.ws, start.AddDate(0, 2, 0))
	must(t, err)
	w.pass()
	got := own.kinds()
	for _, want := range []string{"invoice.issued", "payment.failed", "account.past_due", "account.restricted", "subscription.paused"} {
		if !strings.Contains(got, want) {
			t.Errorf("%s was not told: %s", want, got)
		}
	}
	ids := map[string]bool{}
	real, marked := own.all()[:1], own.all()[1:]
	if real[0].event.Type != "subscription.cancelled" || real[0].event.Data.Test { // the account on the hub's clock rests
		t.Errorf("%+v", real[0].event)
	}
	for i, c := range marked {
		d := c.event.Data
		if ids[d.ID] = true; !d.Test || d.Sequence != i+1 || c.event.Timestamp.Before(start) || !strings.HasPrefix(d.ID, "evt_test_") {
			t.Errorf("%+v", c.event)
		}
	}
	if len(ids) != len(marked) {
		t.Errorf("%d ids for %d events", len(ids), len(marked))
	}
	if got := operators.kinds(); got != "subscription.cancelled" {
		t.Errorf("an address that did not ask for tests got %s", got)
	}
	if got := tests.kinds(); got != "account.restricted" {
		t.Errorf("the address that asked for tests got %q", got)
	}
	if n := len(p.all()); n != 0 || len(w.times) != 1 { // the event that is real
		t.Errorf("%d mails left, and %v were metered", n, w.times)
	}
	mails, err := w.out.Mails(ctx, string(w.ws), 0, 50)
	must(t, err)
	restricted := mails[0]
	for _, m := range mails {
		if m.State != billingdb.Skipped && (m.Test == 0 || m.State != billingdb.Kept) {
			t.Errorf("%+v", m)
		}
		if m.Kind == "account.restricted" {
			restricted = m
		}
	}
	_, l, _, err := w.out.Mail(ctx, restricted.Seq)
	if must(t, err); l.To != "pay@acme.example" || !strings.HasPrefix(l.Subject, "[Test] ") || !strings.Contains(l.Text, "This is a test") {
		t.Errorf("%+v", l)
	}
	if err := w.out.SendMail(ctx, restricted.Seq); fault.KindOf(err) != fault.Conflict {
		t.Errorf("a mail of a test clock was sent: %v", err)
	}

	must(t, w.bill.EndTestClock(ctx, w.ws))
	w.pass()
	heard := len(own.all())
	n, err := w.out.Replay(ctx, string(w.ws), e.ID, w.clock().Add(-time.Hour))
	must(t, err)
	w.pass()
	replayed := 0
	for _, c := range own.all()[heard:] {
		if c.event.Data.Test {
			replayed++
		}
	}
	if n != len(own.all())-heard || replayed != len(marked) {
		t.Errorf("%d tests of %d are replayed after the clock is gone", replayed, len(marked))
	}
	// Another clock begins to count anew, and its events are others.
	w.after(time.Second)
	_, err = w.bill.StartTestClock(ctx, w.ws, start)
	must(t, err)
	w.card("ok")
	w.after(time.Second)
	last := own.all()[len(own.all())-1]
	if ids[last.event.Data.ID] || !last.event.Data.Test {
		t.Errorf("%+v", last.event)
	}
}

// What a test clock did is told once, also when the hub ends before it is told.
func TestTestClocksAreToldOnceOverARestart(t *testing.T) {
	w, own := newWorld(t), newReceiver(t)
	ctx := t.Context()
	_, err := w.out.Add(ctx, string(w.ws), Wish{URL: own.url})
	must(t, err)
	_, err = w.bill.StartTestClock(ctx, w.ws, time.Time{})
	must(t, err)
	w.after(time.Second)
	w.card("ok")
	must(t, w.bill.Close())
	must(t, w.bill.Open(ctx))
	w.open()
	w.after(time.Second)
	w.after(time.Second)
	if got := own.kinds(); strings.Count(got, "customer.methods_changed") != 1 {
		t.Errorf("got %s", got)
	}
}
