package e2e

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"holdfast/edge/edgetest"
	"holdfast/sync/change"
	"holdfast/sync/fault"
	"holdfast/sync/hlc"
	"holdfast/sync/id"
	"holdfast/sync/wire"
	"holdfast/sync/work"
)

// door is one device's connection to a workspace, for what no page would send.
type door struct {
	*edgetest.Device
	t      *testing.T
	nc     *nats.Conn
	conn   string
	tenant id.ID
}

func (c *client) door(region int, tenant id.ID) *door {
	c.s.t.Helper()
	d := &door{Device: edgetest.NewDevice(c.person), t: c.s.t, tenant: tenant}
	var err error
	d.nc, d.conn, err = c.connect(region, tenant, d.Device)
	must(c.s.t, err)
	c.s.t.Cleanup(d.nc.Close)
	return d
}

// offer sends a frame that shall be a push.
func (d *door) offer(frame []byte) wire.PushReply {
	d.t.Helper()
	m, err := d.nc.Request(wire.RPC(d.tenant, d.conn, wire.Push), frame, patience)
	must(d.t, err)
	r, err := wire.DecodePushReply(m.Data)
	must(d.t, err)
	return r
}

// push offers one change and gives its fate.
func (d *door) push(tx change.Tx) wire.Fate {
	d.t.Helper()
	r := d.offer(wire.PushRequest{Replica: d.Replica, NowMS: time.Now().UnixMilli(), Txs: []change.Tx{tx}}.Encode())
	if r.Err != nil || len(r.Fates) != 1 {
		d.t.Fatalf("push: %+v", r)
	}
	return r.Fates[0]
}

// log is what the region has of the device's changes, by name of the project that each made.
func (d *door) log() (names []string) {
	d.t.Helper()
	m, err := d.nc.Request(wire.RPC(d.tenant, d.conn, wire.Pull), wire.PullRequest{}.Encode(), patience)
	must(d.t, err)
	r, err := wire.DecodePullReply(m.Data)
	must(d.t, err)
	for _, e := range r.Entries {
		for _, row := range e.Tx.Rows {
			for _, c := range row.Cells {
				if row.Table == "project" && c.Col == "name" {
					names = append(names, c.Val.Text)
				}
			}
		}
	}
	return names
}

// What no page sends is refused with a sentence and for good, one by one; what comes after it is taken as if nothing had been.
func TestBadInput(t *testing.T) {
	s := start(t, "local")
	ana := s.client()
	ana.signUp(0, "Ana")
	d := ana.door(0, ana.workspace(0))
	var want []string
	good := func() {
		t.Helper()
		name := fmt.Sprint("Good ", len(want))
		if f := d.push(d.Next(name)); !f.Accepted {
			t.Fatalf("a good change after a bad one: %+v", f)
		}
		want = append(want, name)
	}
	good()
	whole := wire.PushRequest{Replica: d.Replica}.Encode()
	large := d.Next(strings.Repeat("x", 1<<20))
	d.Num-- // it never had a fate
	for name, frame := range map[string][]byte{
		"empty": nil, "noise": {0, 9, 9, 9}, "cut-short": whole[:len(whole)-1], "unknown-packing": {7, 1, 2}, "no-deflate": {1, 0xff, 0xff},
		"title-of-1-MB": wire.PushRequest{Replica: d.Replica, Txs: []change.Tx{large}}.Encode(),
	} {
		if r := d.offer(frame); r.Err == nil || fault.KindOf(r.Err).Temporary() || len(r.Fates) > 0 {
			t.Errorf("%s: %+v, want a lasting refusal", name, r)
		}
		good()
	}
	for name, c := range map[string]struct {
		bad  func(row *change.Row)
		kind fault.Kind
		says string
	}{
		"unknown-table":  {func(r *change.Row) { r.Table = "nonsense" }, fault.Invalid, "no table"},
		"unknown-column": {func(r *change.Row) { r.Cells[0].Col = "colour" }, fault.Invalid, "colour"},
		"wrong-type":     {func(r *change.Row) { r.Cells[1].Val = change.V(7) }, fault.Invalid, "name"},
		"long-name":      {func(r *change.Row) { r.Cells[1].Val = change.V(strings.Repeat("x", work.NameBytesMax+1)) }, fault.TooLarge, "at most"},
		"long-text":      {func(r *change.Row) { r.Cells[1].Val = change.V(strings.Repeat("x", change.TextBytesMax)) }, fault.TooLarge, "at most"},
		"never-seen":     {func(r *change.Row) { r.Cells = r.Cells[1:2] }, fault.NotFound, "not here"},
		"no-id":          {func(r *change.Row) { r.ID = "x" }, fault.Invalid, ""},
	} {
		tx := d.Next("Bad")
		c.bad(&tx.Rows[0])
		if f := d.push(tx); f.Accepted || f.Kind != c.kind || f.Detail == "" || !strings.Contains(f.Detail, c.says) {
			t.Errorf("%s: %+v, want %s and %q", name, f, c.kind, c.says)
		}
		good()
	}
	for name, off := range map[string]time.Duration{"a-year-ahead": 365 * 24 * time.Hour, "a-year-behind": -365 * 24 * time.Hour} {
		tx := d.Next(name)
		tx = tx.Restamp(hlc.Make(time.Now().Add(off).UnixMilli(), 1, d.Replica))
		f := d.push(tx)
		if latest := time.Now().Add(time.Minute + time.Second).UnixMilli(); !f.Accepted || f.Stamp.MS() > latest {
			t.Errorf("%s: %+v, want it accepted and no later than %d", name, f, latest)
		}
		want = append(want, name)
		good()
	}
	if got := d.log(); strings.Join(got, ",") != strings.Join(want, ",") {
		t.Errorf("the region has %v\nwant %v", got, want)
	}
}

// A second holdfast on a folder or a port that is in use says so, says what to do and ends; the first one does not notice.
func TestSecondHoldfast(t *testing.T) {
	s := start(t, "local")
	for name, c := range map[string]struct{ args, says []string }{
		"folder": {[]string{"--data", s.data, "--port", fmt.Sprint(freePorts(t, 1))}, []string{"in use by another holdfast"}},
		"port":   {[]string{"--data", t.TempDir(), "--port", fmt.Sprint(s.port)}, []string{"cannot listen on", "--port"}},
	} {
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		out, err := exec.CommandContext(ctx, binary, append([]string{"dev"}, c.args...)...).CombinedOutput()
		cancel()
		if _, ended := errors.AsType[*exec.ExitError](err); !ended || ctx.Err() == context.DeadlineExceeded {
			t.Errorf("%s: %v", name, err)
		}
		for _, want := range c.says {
			if !strings.Contains(string(out), want) {
				t.Errorf("%s: it says %q, want %q in it", name, out, want)
			}
		}
		if strings.Contains(string(out), "panic") || strings.Count(string(out), "\n") > 3 {
			t.Errorf("%s: more than a sentence:\n%s", name, out)
		}
		if !answers(s.url(0) + "/healthz") {
			t.Errorf("%s: the first one no longer answers", name)
		}
	}
}

// A session of one workspace, connected to its own, tries to reach another's by every subject there is: each is refused by the
// server and in its log, and the other workspace is as it was.
func TestAttacksFromInside(t *testing.T) {
	s := start(t, "local", "--log-level", "warn")
	ana, eve := s.client(), s.client()
	ana.signUp(0, "Ana")
	eve.signUp(0, "Eve")
	theirs, own := ana.workspace(0), eve.workspace(0)
	v, e := ana.door(0, theirs), eve.door(0, own)
	if f := v.push(v.Next("secret")); !f.Accepted {
		t.Fatal(f)
	}
	denied := make(chan error, 100)
	e.nc.SetErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) { denied <- err })
	refused := func(subject string, err error) {
		t.Helper()
		must(t, err)
		select {
		case err := <-denied:
			if !errors.Is(err, nats.ErrPermissionViolation) {
				t.Errorf("%s: %v", subject, err)
			}
		case <-time.After(patience):
			t.Errorf("%s was not refused", subject)
		}
		logged := strings.Replace(subject, "$JS.local.API", "$JS.API", 1) // the server itself says it so
		within(t, subject+" is in the log", func() bool { return strings.Contains(s.log.String(), logged) })
	}
	inbox := wire.InboxPrefix(own, e.conn) + ".x"
	ops := wire.OpsStream(wire.Shard(theirs))
	push := wire.PushRequest{Replica: e.Replica, Txs: []change.Tx{e.Next("forged")}}.Encode()
	for subject, data := range map[string][]byte{
		wire.RPC(theirs, e.conn, wire.Push):                         push,
		wire.RPC(theirs, v.conn, wire.Push):                         push,
		wire.RPC(theirs, e.conn, wire.Pull):                         wire.PullRequest{}.Encode(),
		wire.RPC(theirs, e.conn, wire.Presence):                     wire.PresenceBeat{View: "x"}.Encode(),
		wire.Feed(theirs, wire.ScopeAll):                            wire.FeedMessage{}.Encode(),
		wire.OpsSubject("local", theirs):                            push,
		wire.UsageSubject("local", theirs):                          []byte("{}"),
		wire.HubHTTP:                                                nil,
		"$JS.API.CONSUMER.CREATE." + ops:                            []byte(`{"stream_name":"` + ops + `","config":{"deliver_subject":"` + inbox + `"}}`),
		"$JS.API.CONSUMER.DURABLE.CREATE." + ops + ".x":             nil,
		"$JS.API.CONSUMER.MSG.NEXT." + ops + ".x":                   nil,
		"$JS.API.STREAM.MSG.GET." + ops:                             []byte(`{"seq":1}`),
		"$JS.API.DIRECT.GET." + ops:                                 []byte(`{"seq":1}`),
		"$JS.API.STREAM.PURGE." + ops:                               nil,
		"$JS.API.STREAM.DELETE." + ops:                              nil,
		"$JS.local.API.INFO":                                        nil,
		"$KV." + wire.DirectoryBucket + ".tenant." + string(theirs): []byte("{}"),
	} {
		refused(subject, e.nc.PublishRequest(subject, inbox, data))
	}
	for _, subject := range []string{wire.Feed(theirs, wire.ScopeAll), wire.Feed(theirs, wire.ScopePresence), wire.InboxPrefix(theirs, v.conn) + ".>",
		"_INBOX.>", "feed.>", "rpc.>", "ops.>"} {
		_, err := e.nc.SubscribeSync(subject)
		if err == nil {
			err = e.nc.Flush()
		}
		refused(subject, err)
	}
	// The reply subject is under no permission: an answer goes to the caller's own inbox or nowhere.
	for _, reply := range []string{wire.OpsSubject("local", theirs), wire.InboxPrefix(theirs, v.conn) + ".x", "$JS.API.STREAM.PURGE." + ops} {
		must(t, e.nc.PublishMsg(&nats.Msg{Subject: wire.RPC(own, e.conn, wire.Push), Reply: reply, Data: push,
			Header: nats.Header{"Nats-Msg-Id": {string(theirs) + "/local/2"}}}))
	}
	trace := wire.InboxPrefix(theirs, v.conn) + ".trace"
	refused(trace, e.nc.PublishMsg(&nats.Msg{Subject: wire.RPC(own, e.conn, wire.Push), Reply: inbox, Data: push, Header: nats.Header{"Nats-Trace-Dest": {trace}}}))
	within(t, "the replies elsewhere are in the log", func() bool { return strings.Contains(s.log.String(), "outside the caller's inbox") })
	if f := v.push(v.Next("mine")); !f.Accepted {
		t.Fatal(f)
	}
	if got := strings.Join(v.log(), ","); got != "secret,mine" {
		t.Errorf("the victim's workspace has %s", got)
	}
	if got := strings.Join(e.log(), ","); got != "" {
		t.Errorf("the attacker's workspace has %s", got)
	}
}
