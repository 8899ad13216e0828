package outbox

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	standard "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"holdfast/server/webhook"
	"holdfast/sync/fault"
)

// receiver is somebody's server. It answers what it is told to.
type receiver struct {
	url    string
	mu     sync.Mutex
	status int
	got    []call
}

type call struct {
	header http.Header
	body   []byte
	event  Message
}

func newReceiver(t *testing.T) *receiver {
	r := &receiver{status: 204}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		b, _ := io.ReadAll(q.Body)
		c := call{header: q.Header, body: b}
		if err := json.Unmarshal(b, &c.event); err != nil {
			t.Error(err)
		}
		r.mu.Lock()
		defer r.mu.Unlock()
		r.got = append(r.got, c)
		w.WriteHeader(r.status)
	}))
	t.Cleanup(s.Close)
	r.url = s.URL + "/hook"
	return r
}

func (r *receiver) answer(status int) { r.mu.Lock(); r.status = status; r.mu.Unlock() }

func (r *receiver) all() []call {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]call(nil), r.got...)
}

// kinds is what arrived, in order.
func (r *receiver) kinds() string {
	var out []string
	for _, c := range r.all() {
		out = append(out, c.event.Type)
	}
	return strings.Join(out, "|")
}

// Every notice reaches the workspace's endpoint and the operator's, in order and signed; the standard's own library accepts it.
func TestBM37_WebhooksForEveryChange(t *testing.T) {
	w, own, operators := newWorld(t), newReceiver(t), newReceiver(t)
	ctx := t.Context()
	e, err := w.out.Add(ctx, string(w.ws), Wish{URL: own.url})
	must(t, err)
	_, err = w.out.Add(ctx, "", Wish{URL: operators.url, Events: []string{"invoice.issued", "invoice.paid"}})
	must(t, err)
	w.card("4242424242424242")
	w.plan("team")
	w.pass()
	w.pass()
	if got, want := own.kinds(), "customer.methods_changed|subscription.quantity-changed|subscription.plan-changed|invoice.issued|payment.succeeded|invoice.paid"; got != want {
		t.Fatalf("got %s\nwant %s", got, want)
	}
	if got := operators.kinds(); got != "invoice.issued|invoice.paid" {
		t.Errorf("the operator got %s", got)
	}
	ids := map[string]bool{}
	for i, c := range own.all() {
		ids[c.header.Get("webhook-id")] = true
		if i > 0 && c.event.Data.Sequence != own.all()[i-1].event.Data.Sequence+1 || c.event.Data.Workspace != string(w.ws) || c.event.Data.ID != c.header.Get("webhook-id") {
			t.Errorf("%+v", c.event)
		}
	}
	if len(ids) != 6 || !ids[operators.all()[0].header.Get("webhook-id")] {
		t.Errorf("ids %v", ids)
	}
	check := func(secret string, c call) error {
		wh, err := standard.NewWebhook(secret)
		must(t, err)
		return wh.VerifyIgnoringTimestamp(c.body, c.header) // the world's clock is not the machine's
	}
	must(t, check(e.Secret, own.all()[0]))
	next, err := w.out.Rotate(ctx, string(w.ws), e.ID)
	must(t, err)
	w.tell("one", false)
	w.pass()
	c := own.all()[6]
	for _, s := range []string{e.Secret, next.Secret} {
		must(t, check(s, c))
	}
	w.after(25 * time.Hour)
	w.tell("two", false)
	w.pass()
	c = own.all()[len(own.all())-1]
	must(t, check(next.Secret, c))
	if check(e.Secret, c) == nil {
		t.Error("the old secret signs after its day")
	}
	if n := len(w.times); n != len(own.all()) {
		t.Errorf("%d were metered; %d were sent to the workspace's own address", n, len(own.all()))
	}
}

func TestBM37_OrderRetriesAndTheEnd(t *testing.T) {
	w, r := newWorld(t), newReceiver(t)
	ctx, owner := t.Context(), string(w.ws)
	e, err := w.out.Add(ctx, owner, Wish{URL: r.url})
	must(t, err)
	r.answer(500)
	w.tell("a", false)
	w.tell("b", false)
	w.pass()
	w.after(4 * time.Second)
	if got := r.kinds(); got != "a" {
		t.Fatalf("got %s", got)
	}
	w.after(2 * time.Second)
	r.answer(302) // a redirect is a failure, and is not followed
	w.after(6 * time.Minute)
	r.answer(200)
	w.after(31 * time.Minute)
	if got := r.kinds(); got != "a|a|a|a|b" {
		t.Fatalf("got %s", got)
	}
	list, err := w.out.Deliveries(ctx, owner, e.ID, 0, 10)
	must(t, err)
	one, err := w.out.Delivery(ctx, owner, e.ID, list[1].ID)
	must(t, err)
	if len(one.Attempts) != 4 || one.Attempts[2].Reason != "The address answered 302." || one.Attempts[3].Reason != "" || one.State != "sent" {
		t.Errorf("%+v", one)
	}
	// It stays down: the schedule ends after 75 hours, 35 minutes and 5 seconds.
	r.answer(503)
	began := w.clock()
	w.tell("c", false)
	w.tell("d", false)
	w.pass()
	tries := len(r.all())
	on := true
	for step := 5 * time.Second; on && w.clock().Sub(began) < 200*time.Hour; step = 4 * time.Minute {
		w.after(step)
		list, err := w.out.Endpoints(ctx, owner)
		must(t, err)
		on = list[0].On
	}
	end := w.clock()
	if took := end.Sub(began); took < 75*time.Hour+35*time.Minute || took > 76*time.Hour+30*time.Minute || len(r.all())-tries != len(webhook.Schedule) {
		t.Errorf("switched off after %s and %d tries", took, len(r.all())-tries+1)
	}
	w.pass()
	if v, l, _ := w.last(); v.Kind != "webhook.disabled" || !strings.Contains(l.Text, r.url) {
		t.Errorf("the owner was not told: %+v", v)
	}
	_, err = w.out.Replay(ctx, owner, e.ID, began)
	kindIs(t, err, fault.Conflict)
	r.answer(200)
	_, err = w.out.Change(ctx, owner, e.ID, Wish{URL: r.url, On: true})
	must(t, err)
	before := len(r.all())
	n, err := w.out.Replay(ctx, owner, e.ID, began)
	must(t, err)
	w.pass()
	again := r.all()[before:]
	if n != len(again) || n < 3 || again[0].event.Type != "c" || again[1].event.Type != "d" {
		t.Errorf("replayed %d: %s", n, r.kinds())
	}
	if again[0].header.Get("webhook-id") != r.all()[tries-1].header.Get("webhook-id") {
		t.Error("the replay has another id")
	}
	must(t, w.out.Resend(ctx, owner, e.ID, list[0].ID))
	w.pass()
	if got := r.kinds(); !strings.HasSuffix(got, "|b") {
		t.Errorf("not sent again by hand: %s", got)
	}
}

func TestGoneSwitchesOff(t *testing.T) {
	w, r := newWorld(t), newReceiver(t)
	_, err := w.out.Add(t.Context(), string(w.ws), Wish{URL: r.url})
	must(t, err)
	r.answer(410)
	w.tell("a", false)
	w.tell("b", false)
	w.pass()
	if list, err := w.out.Endpoints(t.Context(), string(w.ws)); err != nil || list[0].On || !strings.Contains(list[0].Reason, "410") || r.kinds() != "a" {
		t.Errorf("%+v %v %s", list, err, r.kinds())
	}
}

func TestEndpointsAreTheirOwners(t *testing.T) {
	w, r := newWorld(t), newReceiver(t)
	ctx, owner := t.Context(), string(w.ws)
	e, err := w.out.Add(ctx, owner, Wish{URL: r.url})
	must(t, err)
	for name, do := range map[string]func() error{
		"change":     func() error { _, err := w.out.Change(ctx, "other", e.ID, Wish{URL: r.url}); return err },
		"rotate":     func() error { _, err := w.out.Rotate(ctx, "", e.ID); return err },
		"drop":       func() error { return w.out.Drop(ctx, "other", e.ID) },
		"deliveries": func() error { _, err := w.out.Deliveries(ctx, "other", e.ID, 0, 1); return err },
		"resend":     func() error { return w.out.Resend(ctx, "other", e.ID, 1) },
		"replay":     func() error { _, err := w.out.Replay(ctx, "other", e.ID, w.now); return err },
	} {
		t.Run(name, func(t *testing.T) { kindIs(t, do(), fault.NotFound) })
	}
	for _, bad := range []string{"ftp://example.com", "https://", "https://u:p@example.com", "example.com", "https://10.0.0.1/", "https://[fd00::1]/", strings.Repeat("x", 600)} {
		if _, err := w.out.Add(ctx, owner, Wish{URL: bad}); err == nil {
			t.Errorf("%.40s was taken", bad)
		}
	}
	if _, err := w.out.Add(ctx, owner, Wish{URL: r.url, Events: []string{"Invoice Issued"}}); fault.KindOf(err) != fault.Invalid {
		t.Errorf("%v", err)
	}
	for range endpointsMax - 1 {
		_, err := w.out.Add(ctx, owner, Wish{URL: r.url})
		must(t, err)
	}
	_, err = w.out.Add(ctx, owner, Wish{URL: r.url})
	kindIs(t, err, fault.Limit)
	must(t, w.out.Drop(ctx, owner, e.ID))
	w.tell("a", false)
	w.pass()
	if n := len(r.all()); n != endpointsMax-1 {
		t.Errorf("%d events", n)
	}
	lanes, err := w.bill.Replies().Lanes(ctx, w.now)
	if err != nil || len(lanes) != 0 {
		t.Errorf("%v %v", lanes, err)
	}
}
