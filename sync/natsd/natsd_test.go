package natsd_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"holdfast/sync/natsd"
)

// pair is a hub and a region joined by a link that can be cut.
func pair(t *testing.T) (hub, region *natsd.Server, link *natsd.Link) {
	t.Helper()
	return pairWith(t, slog.New(slog.DiscardHandler))
}

// pairWith is a pair whose region has a log.
func pairWith(t *testing.T, log *slog.Logger) (hub, region *natsd.Server, link *natsd.Link) {
	t.Helper()
	hub = natsd.New(natsd.Config{Name: "hub", Domain: "hub", StoreDir: t.TempDir(), LeafListen: "127.0.0.1:0", LeafSecret: "s3cret"})
	open(t, hub)
	link = natsd.NewLink(hub.LeafAddr())
	if err := link.Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(link.Close)
	region = natsd.New(natsd.Config{Name: "eu", Domain: "eu", StoreDir: t.TempDir(), HubURL: "nats-leaf://" + link.Addr(), LeafSecret: "s3cret",
		WebSocketListen: "127.0.0.1:0", Log: log})
	open(t, region)
	linked(t, region, true)
	return hub, region, link
}

func open(t *testing.T, s *natsd.Server) {
	t.Helper()
	if err := s.Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
}

func linked(t *testing.T, s *natsd.Server, want bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		if s.Linked() == want {
			return
		}
	}
	t.Fatalf("linked: got %v for 20 s, want %v", !want, want)
}

func core(t *testing.T, s *natsd.Server) *nats.Conn {
	t.Helper()
	nc, err := s.Core()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	return nc
}

// reaches waits until requests of one server's CORE are answered in the other's.
func reaches(t *testing.T, a, b *nats.Conn) {
	t.Helper()
	for end := time.Now().Add(time.Minute); ; {
		err := answers(a, b)
		if err == nil {
			return
		}
		if time.Now().After(end) {
			t.Fatal(err)
		}
	}
}

// answers tells whether a request from one server's CORE reaches a responder in the other's within a second.
func answers(a, b *nats.Conn) error {
	subject := nats.NewInbox()
	sub, err := b.Subscribe(subject, func(m *nats.Msg) { m.Respond(m.Data) })
	if err != nil {
		return err
	}
	defer sub.Unsubscribe()
	if err := b.Flush(); err != nil {
		return err
	}
	for end := time.Now().Add(time.Second); ; time.Sleep(10 * time.Millisecond) {
		_, err := a.Request(subject, []byte("x"), 200*time.Millisecond)
		if err == nil || time.Now().After(end) {
			return err
		}
	}
}

func TestLinkCarriesCoreAndHeals(t *testing.T) {
	t.Parallel()
	hub, region, link := pair(t)
	h, r := core(t, hub), core(t, region)
	for _, broken := range []func(){link.Cut, link.Mute} {
		reaches(t, h, r)
		reaches(t, r, h)
		broken()
		if err := answers(r, h); err == nil {
			t.Fatal("a request went over a cut link")
		}
		linked(t, region, false)
		link.Heal()
		linked(t, region, true)
	}
	reaches(t, h, r)
	reaches(t, r, h)
}

// A path that swallows everything and closes nothing, also after it is whole again, is noticed by the silence and not only when
// pings stay unanswered.
func TestSilentLinkIsDialedAnew(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	hub, region, link := pairWith(t, slog.New(slog.NewTextHandler(&log, nil)))
	h, r := core(t, hub), core(t, region)
	beats := make(chan *nats.Msg, 1000)
	if _, err := r.ChanSubscribe("link.beat", beats); err != nil {
		t.Fatal(err)
	}
	<-beats // before one came nothing is expected
	link.Mute()
	link.Heal()
	for end := time.Now().Add(time.Minute); answers(r, h) != nil; {
		if time.Now().After(end) {
			t.Fatal("the link is not dialed anew")
		}
	}
	region.Close() // nobody writes to the log any more
	if !strings.Contains(log.String(), "nothing comes over the link") {
		t.Error("it was not the silence that was noticed")
	}
}

func TestDomainsAreReachedOverTheLink(t *testing.T) {
	hub, region, _ := pair(t)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	own, err := jetstream.New(core(t, region))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := own.CreateStream(ctx, jetstream.StreamConfig{Name: "S", Subjects: []string{"s.>"}}); err != nil {
		t.Fatal(err)
	}
	if _, err := own.Publish(ctx, "s.one", []byte("1")); err != nil {
		t.Fatal(err)
	}
	far, err := jetstream.NewWithDomain(core(t, hub), "eu")
	if err != nil {
		t.Fatal(err)
	}
	st, err := far.Stream(ctx, "S")
	if err != nil {
		t.Fatal(err)
	}
	if got := st.CachedInfo().State.Msgs; got != 1 {
		t.Fatalf("messages seen from the hub: got %d, want 1", got)
	}
}

// The dialer is started anew through a reload of the whole configuration, which must harm nothing else.
func TestRedialKeepsStreamsAndConnections(t *testing.T) {
	t.Parallel()
	hub, region, _ := pair(t)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	r := core(t, region)
	js, err := jetstream.New(r)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := js.CreateStream(ctx, jetstream.StreamConfig{Name: "S", Subjects: []string{"s.>"}}); err != nil {
		t.Fatal(err)
	}
	for i := range 3 {
		if err := region.Redial(); err != nil {
			t.Fatal(err)
		}
		linked(t, region, true)
		if _, err := js.Publish(ctx, "s.one", fmt.Append(nil, i)); err != nil {
			t.Fatal("publish after a redial:", err)
		}
		if err := answers(core(t, hub), r); err != nil {
			t.Fatal("request after a redial:", err)
		}
	}
	if r.Stats().Reconnects != 0 {
		t.Fatalf("the process's own connection broke %d times", r.Stats().Reconnects)
	}
}

func TestWhoMayConnect(t *testing.T) {
	t.Parallel()
	hub, region, _ := pair(t)
	wrong := natsd.New(natsd.Config{Name: "us", Domain: "us", StoreDir: t.TempDir(), HubURL: "nats-leaf://" + hub.LeafAddr(), LeafSecret: "guess"})
	open(t, wrong)
	time.Sleep(time.Second)
	if wrong.Linked() || hub.Links() != 1 {
		t.Fatalf("a leaf with a wrong secret: linked %v, links at the hub %d", wrong.Linked(), hub.Links())
	}
	for _, o := range [][]nats.Option{
		nil, {nats.Token("x")}, {nats.Token("CORE/")}, {nats.Token("CORE/guess")}, {nats.UserInfo("$SYS", "guess")},
	} {
		nc, err := nats.Connect("ws://"+region.WebSocketAddr(), o...)
		if err == nil {
			nc.Close()
			t.Fatal("a stranger connected")
		}
	}
}

func TestGrantIsAllThatABrowserGets(t *testing.T) {
	gone := make(chan uint64, 1)
	var id uint64
	s := natsd.New(natsd.Config{Name: "eu", Domain: "eu", StoreDir: t.TempDir(), WebSocketListen: "127.0.0.1:0",
		Authenticate: func(c natsd.Client) (natsd.Grant, error) {
			id = c.ID
			if c.Token != "good" || c.Name != "me" {
				return natsd.Grant{}, errors.New("no")
			}
			return natsd.Grant{Publish: []string{"ask.me"}, Subscribe: []string{"tell.me"}, Expires: time.Now().Add(time.Hour)}, nil
		},
		Gone: func(id uint64) { gone <- id }})
	open(t, s)
	denied := make(chan error, 10)
	nc, err := nats.Connect("ws://"+s.WebSocketAddr(), nats.Token("good"), nats.Name("me"), nats.NoReconnect(),
		nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) { denied <- err }))
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	for _, try := range []func() error{
		func() error { return nc.Publish("ask.you", nil) },
		func() error { return nc.Publish("$JS.API.INFO", nil) },
		func() error { _, err := nc.SubscribeSync(">"); return err },
		func() error { _, err := nc.SubscribeSync("tell.you"); return err },
	} {
		if err := try(); err != nil {
			t.Fatal(err)
		}
		select {
		case err := <-denied:
			if !errors.Is(err, nats.ErrPermissionViolation) {
				t.Fatal("got", err)
			}
		case <-time.After(time.Minute):
			t.Fatal("not refused")
		}
	}
	s.Kick(id)
	select {
	case got := <-gone:
		if got != id {
			t.Fatalf("gone: got %d, want %d", got, id)
		}
	case <-time.After(time.Minute):
		t.Fatal("a kicked connection is not gone")
	}
}

// A restart of the streams keeps what they hold and every connection.
func TestStreamsAreRestarted(t *testing.T) {
	hub, region, _ := pair(t)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	r := core(t, region)
	js, err := jetstream.New(r)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := js.CreateStream(ctx, jetstream.StreamConfig{Name: "S", Subjects: []string{"s.>"}}); err != nil {
		t.Fatal(err)
	}
	if _, err := js.Publish(ctx, "s.one", []byte("1")); err != nil {
		t.Fatal(err)
	}
	if err := region.RestartStreams(); err != nil {
		t.Fatal(err)
	}
	if _, err := js.Publish(ctx, "s.one", []byte("2")); err != nil {
		t.Fatal(err)
	}
	far, err := jetstream.NewWithDomain(core(t, hub), "eu")
	if err != nil {
		t.Fatal(err)
	}
	st, err := far.Stream(ctx, "S")
	if err != nil {
		t.Fatal(err)
	}
	if got := st.CachedInfo().State.LastSeq; got != 2 {
		t.Fatalf("last sequence: got %d, want 2", got)
	}
	if r.Stats().Reconnects != 0 {
		t.Fatalf("the process's own connection broke %d times", r.Stats().Reconnects)
	}
	if err := region.RestartStreams(); err == nil {
		t.Fatal("restarted twice in a moment")
	}
}

func TestLinkIsSlowedBothWays(t *testing.T) {
	const each = 40 * time.Millisecond
	hub, region, link := pair(t)
	h, r := core(t, hub), core(t, region)
	reaches(t, r, h)
	sub, err := h.Subscribe("echo", func(m *nats.Msg) { m.Respond(m.Data) })
	if err != nil {
		t.Fatal(err)
	}
	defer sub.Unsubscribe()
	took := func() time.Duration {
		t.Helper()
		best := time.Hour
		for good, end := 0, time.Now().Add(10*time.Second); good < 10 && time.Now().Before(end); {
			sent := time.Now()
			if _, err := r.Request("echo", nil, 2*time.Second); err == nil {
				best = min(best, time.Since(sent))
				good++
			}
		}
		return best
	}
	if d := took(); d > each {
		t.Errorf("without delay: %v", d)
	}
	link.SetDelay(each)
	if d := took(); d < 2*each || d > 4*each {
		t.Errorf("with %v each way: %v", each, d)
	}
	link.SetDelay(0)
	if d := took(); d > each {
		t.Errorf("without delay again: %v", d)
	}
}

// Whoever makes the server complain cannot fill the log.
func TestComplaintsAreBounded(t *testing.T) {
	var out bytes.Buffer
	s := natsd.New(natsd.Config{Name: "eu", Domain: "eu", StoreDir: t.TempDir(), WebSocketListen: "127.0.0.1:0", Log: slog.New(slog.NewTextHandler(&out, nil)),
		Authenticate: func(natsd.Client) (natsd.Grant, error) {
			return natsd.Grant{Publish: []string{"a"}, Subscribe: []string{"b"}, Expires: time.Now().Add(time.Hour)}, nil
		}})
	open(t, s)
	nc, err := nats.Connect("ws://"+s.WebSocketAddr(), nats.NoReconnect(), nats.ErrorHandler(func(*nats.Conn, *nats.Subscription, error) {}))
	if err != nil {
		t.Fatal(err)
	}
	for range 20_000 {
		if err := nc.Publish("not.mine", nil); err != nil {
			t.Fatal(err)
		}
	}
	if err := nc.FlushTimeout(10 * time.Second); err != nil {
		t.Fatal(err)
	}
	nc.Close()
	s.Close()
	if n := bytes.Count(out.Bytes(), []byte("Violation")); n < 100 || n > 5000 {
		t.Errorf("lines for 20,000 violations: %d", n)
	}
}
