package node_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"holdfast/edge/edgetest"
	"holdfast/sync/change"
	"holdfast/sync/id"
	"holdfast/sync/wire"
)

// attack is a world with an attacker and a victim in different workspaces of one region.
type attack struct {
	*edge
	t                *testing.T
	attacker, victim *edgetest.Browser
	attackerCookie   string
	secret           change.Tx // the victim's
}

func newAttack(t *testing.T) *attack {
	h := edgetest.NewHub(t)
	e := newEdge(t, h, "eu")
	eve, ana := h.NewPerson(), h.NewPerson()
	mine, theirs := h.NewTenant(eve), h.NewTenant(ana)
	know(t, h.Revoke(h.NewPerson()), e)
	a := &attack{edge: e, t: t, attackerCookie: eve.Cookie, attacker: e.connect(eve, mine.ID), victim: e.connect(ana, theirs.ID)}
	a.secret = a.victim.Next("the victim's secret")
	if _, err := a.victim.Push(a.secret); err != nil {
		t.Fatal(err)
	}
	return a
}

// denied runs f and expects the server to refuse it.
func (a *attack) denied(what string, f func(nc *nats.Conn) error) {
	a.t.Helper()
	for len(a.attacker.Denied) > 0 {
		<-a.attacker.Denied
	}
	if err := f(a.attacker.Conn); err != nil {
		a.t.Fatalf("%s: %v", what, err)
	}
	if err := a.attacker.Conn.Flush(); err != nil {
		a.t.Fatalf("%s: %v", what, err)
	}
	select {
	case err := <-a.attacker.Denied:
		if !errors.Is(err, nats.ErrPermissionViolation) {
			a.t.Errorf("%s: got %v, want a permission violation", what, err)
		}
	case <-time.After(patience):
		a.t.Errorf("%s: was not refused", what)
	}
}

func publish(subject, reply string, header nats.Header, data []byte) func(*nats.Conn) error {
	return func(nc *nats.Conn) error {
		return nc.PublishMsg(&nats.Msg{Subject: subject, Reply: reply, Header: header, Data: data})
	}
}

func subscribe(subject string) func(*nats.Conn) error {
	return func(nc *nats.Conn) error { _, err := nc.SubscribeSync(subject); return err }
}

func TestSubjectsOfOthersAreRefused(t *testing.T) {
	a := newAttack(t)
	v, own := a.victim.Tenant, a.attacker.Tenant
	push := wire.PushRequest{Replica: a.attacker.Replica, Txs: []change.Tx{a.attacker.Next("forged")}}.Encode()
	inbox := wire.InboxPrefix(own, a.attacker.Name) + ".x"
	for subject, data := range map[string][]byte{
		wire.RPC(v, a.attacker.Name, wire.Push):                       push,
		wire.RPC(v, a.victim.Name, wire.Push):                         push,
		wire.RPC(own, a.victim.Name, wire.Push):                       push,
		wire.RPC(v, a.attacker.Name, wire.Pull):                       wire.PullRequest{}.Encode(),
		wire.RPC(v, a.victim.Name, wire.Presence):                     wire.PresenceBeat{View: "project/x"}.Encode(),
		wire.Feed(v, wire.ScopeAll):                                   wire.FeedMessage{}.Encode(),
		wire.Feed(own, wire.ScopeAll):                                 wire.FeedMessage{}.Encode(), // the own feed is the edge's to write too
		wire.InboxPrefix(v, a.victim.Name) + ".x":                     push,
		wire.OpsSubject("eu", v):                                      a.secret.Encode(),
		wire.UsageSubject("eu", v):                                    []byte("{}"),
		wire.Here(v):                                                  wire.PresenceMessage{}.Encode(),
		wire.Fetch("eu"):                                              nil,
		wire.Applied("eu"):                                            nil,
		wire.HubHTTP:                                                  nil,
		"$KV." + wire.DirectoryBucket + ".tenant." + string(v):        []byte("{}"),
		"$JS.API.INFO":                                                nil,
		"$JS.API.STREAM.PURGE.OPS_0":                                  nil,
		"$JS.API.STREAM.DELETE.OPS_0":                                 nil,
		"$JS.API.STREAM.MSG.GET.OPS_0":                                []byte(`{"seq":1}`),
		"$JS.API.DIRECT.GET.OPS_0":                                    []byte(`{"seq":1}`),
		"$JS.API.CONSUMER.CREATE.OPS_0":                               []byte(`{"stream_name":"OPS_0","config":{"deliver_subject":"` + inbox + `"}}`),
		"$JS.API.CONSUMER.CREATE.OPS_0.x." + wire.OpsSubject("eu", v): []byte(`{"stream_name":"OPS_0","config":{"name":"x"}}`),
		"$JS.API.CONSUMER.DURABLE.CREATE.OPS_0.x":                     nil,
		"$JS.API.CONSUMER.MSG.NEXT.OPS_0.x":                           nil,
		"$JS.eu.API.INFO":                                             nil,
		"$JS.hub.API.STREAM.INFO.KV_DIR":                              nil,
		"$SYS.REQ.SERVER.PING":                                        nil,
	} {
		a.denied("publish "+subject, publish(subject, inbox, nil, data))
	}
	for _, subject := range []string{
		">", "*", "rpc.>", "rpc.*.*.*", wire.RPC(v, a.victim.Name, "*"), wire.RPC(own, a.attacker.Name, "*"), "feed.>", "feed.*.all",
		wire.Feed(v, wire.ScopeAll), wire.Feed(v, wire.ScopePresence), "_INBOX.>", wire.InboxPrefix(v, a.victim.Name) + ".>", "_INBOX." + string(own) + ".>",
		"ops.>", "usage.>", "here.>", "$JS.>", "$SYS.>", "$KV.>",
	} {
		a.denied("subscribe "+subject, subscribe(subject))
	}
	if n := strings.Count(a.log.String(), "Violation"); n < 40 {
		t.Errorf("violations logged: got %d", n)
	}
}

// The reply subject is under no permission: what the edge would answer there must go nowhere but to the caller's inbox.
func TestRepliesGoToTheCallerOnly(t *testing.T) {
	a := newAttack(t)
	own, v := a.attacker.Tenant, a.victim.Tenant
	if _, err := a.attacker.Push(a.attacker.Next("own")); err != nil {
		t.Fatal(err)
	}
	before, head := a.streams(), a.HeadsForTest(own)["eu"]
	heard := make(chan *nats.Msg, 100)
	for _, subject := range []string{wire.InboxPrefix(v, a.victim.Name) + ".>", wire.Feed(v, "*")} {
		if _, err := a.victim.Conn.ChanSubscribe(subject, heard); err != nil {
			t.Fatal(err)
		}
	}
	if err := a.victim.Conn.Flush(); err != nil {
		t.Fatal(err)
	}
	for _, reply := range []string{
		wire.InboxPrefix(v, a.victim.Name) + ".x", wire.Feed(v, wire.ScopeAll), wire.OpsSubject("eu", v), wire.UsageSubject("eu", v),
		"$JS.API.STREAM.PURGE." + wire.OpsStream(wire.Shard(v)), "$KV." + wire.DirectoryBucket + ".tenant." + string(v),
		wire.RPC(v, a.victim.Name, wire.Push), "", "_INBOX." + string(own) + ".", wire.InboxPrefix(own, a.attacker.Name),
	} {
		for method, data := range map[string][]byte{
			wire.Push: wire.PushRequest{Replica: a.attacker.Replica, Txs: []change.Tx{a.attacker.Next("x")}}.Encode(),
			wire.Pull: wire.PullRequest{}.Encode(), wire.Presence: wire.PresenceBeat{View: "project/x"}.Encode(),
		} {
			for _, h := range []nats.Header{
				{jetstream.MsgIDHeader: {string(v) + "/eu/4"}}, {"Nats-Trace-Dest": {wire.InboxPrefix(v, a.victim.Name) + ".x"}},
			} {
				if err := publish(wire.RPC(own, a.attacker.Name, method), reply, h, data)(a.attacker.Conn); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	if err := a.attacker.Conn.Flush(); err != nil {
		t.Fatal(err)
	}
	edgetest.Eventually(t, patience, "all calls were looked at", func() bool { _, _, err := a.attacker.Pull(nil); return err == nil })
	time.Sleep(300 * time.Millisecond)
	if len(heard) > 0 {
		m := <-heard
		t.Errorf("the victim received %d bytes on %s", len(m.Data), m.Subject)
	}
	if got := a.HeadsForTest(own)["eu"]; got != head {
		t.Errorf("a push whose answer was to go elsewhere was committed: head %d, want %d", got, head)
	}
	if after := a.streams(); after != before {
		t.Errorf("streams: got %s, want %s", after, before)
	}
	if !strings.Contains(a.log.String(), "call refused") || !strings.Contains(a.log.String(), "outside the caller's inbox") {
		t.Error("not logged")
	}
	// The message id that the attacker used keeps nothing of the victim's from being stored.
	if _, err := a.victim.Push(a.victim.Next("mine")); err != nil {
		t.Fatal(err)
	}
	edgetest.Eventually(t, patience, "the victim's change is in the stream", func() bool { return a.streams() != before })
}

// streams sums up all operation streams: messages and consumers.
func (a *attack) streams() string {
	a.t.Helper()
	nc := a.CoreForTest()
	js, err := jetstream.New(nc)
	if err != nil {
		a.t.Fatal(err)
	}
	time.Sleep(200 * time.Millisecond) // for publications under way
	var out []uint64
	for shard := range wire.Shards {
		s, err := js.Stream(a.t.Context(), wire.OpsStream(shard))
		if err != nil {
			a.t.Fatal(err)
		}
		i := s.CachedInfo().State
		out = append(out, i.Msgs, i.LastSeq, uint64(i.Consumers))
	}
	b, err := json.Marshal(out)
	if err != nil {
		a.t.Fatal(err)
	}
	return string(b)
}

func TestBrowsersHaveNoJetStream(t *testing.T) {
	a := newAttack(t)
	nc := a.WebForTest() // without any restriction
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := js.AccountInfo(t.Context()); !errors.Is(err, jetstream.ErrJetStreamNotEnabledForAccount) && !errors.Is(err, jetstream.ErrJetStreamNotEnabled) {
		t.Errorf("JetStream in the browsers' account: got %v", err)
	}
}

func TestWhoMayConnect(t *testing.T) {
	h := edgetest.NewHub(t)
	e := newEdge(t, h, "eu")
	ana, bo, eve := h.NewPerson(), h.NewPerson(), h.NewPerson()
	acme := h.NewTenant(ana, bo)
	other := h.NewTenant(eve)
	elsewhere := h.NewTenant(eve)
	elsewhere.Regions = []string{"us"}
	h.Put("tenant."+string(elsewhere.ID), elsewhere)
	gone := h.NewTenant(eve)
	gone.State = "deleted"
	know(t, h.Put("tenant."+string(gone.ID), gone), e)
	a := e.connect(ana, acme.ID)
	conn := func() string { return string(edgetest.NewID()) }
	for name, tc := range map[string]struct {
		token  string
		tenant id.ID
		conn   string
	}{
		"no token":                    {"", acme.ID, conn()},
		"nonsense":                    {"x.y.z", acme.ID, conn()},
		"a session that is over":      {h.Sign(ana, -time.Second), acme.ID, conn()},
		"another hub's session":       {edgetest.NewHub(t).Sign(ana, time.Hour), acme.ID, conn()},
		"not a member":                {eve.Cookie, acme.ID, conn()},
		"no such workspace":           {eve.Cookie, edgetest.NewID(), conn()},
		"not served in this region":   {eve.Cookie, elsewhere.ID, conn()},
		"a deleted workspace":         {eve.Cookie, gone.ID, conn()},
		"a name that is in use":       {bo.Cookie, acme.ID, a.Name},
		"a name with wildcards":       {bo.Cookie, acme.ID, ">"},
		"a name with another subject": {bo.Cookie, acme.ID, "x.push"},
		"the own process's account":   {"CORE/", acme.ID, conn()},
	} {
		if b, err := edgetest.TryConnect(e.WebSocketAddr(), tc.token, tc.tenant, tc.conn, edgetest.NewDevice(eve.ID)); err == nil {
			b.Conn.Close()
			t.Errorf("%s: connected", name)
		}
	}
	for _, want := range []string{"not a member", "in use", "not served"} {
		if !strings.Contains(strings.ToLower(e.log.String()), want) {
			t.Errorf("not logged: %s", want)
		}
	}
	e.connect(eve, other.ID)
}
