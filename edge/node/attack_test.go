package node_test

import (
	"errors"
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"holdfast/edge/edgetest"
	"holdfast/sync/change"
	"holdfast/sync/id"
	"holdfast/sync/wire"
)

// One row for each attack that got through, or had to be refused, when browsers were let at JetStream in a trial: what it
// publishes, with which reply. All of them are refused at the subject, nothing is stored, made or sent, and the log says so.
func TestAttacksOnJetStream(t *testing.T) {
	a := newAttack(t)
	own, v := a.attacker.Tenant, a.victim.Tenant
	stream := wire.OpsStream(wire.Shard(v))
	inbox, victims := wire.InboxPrefix(own, a.attacker.Name)+".x", wire.InboxPrefix(v, a.victim.Name)+".x"
	ops, mine := wire.OpsSubject("eu", v), wire.OpsSubject("eu", own)
	create := "$JS.API.CONSUMER.CREATE." + stream + ".x." + mine
	body := func(config string) string {
		return `{"stream_name":"` + stream + `","config":{"name":"x",` + config + `}}`
	}
	hear := make(chan *nats.Msg, 100)
	for _, subject := range []string{wire.InboxPrefix(v, a.victim.Name) + ".>", wire.Feed(v, "*")} {
		if _, err := a.victim.Conn.ChanSubscribe(subject, hear); err != nil {
			t.Fatal(err)
		}
	}
	if err := a.victim.Conn.Flush(); err != nil {
		t.Fatal(err)
	}
	before := a.streams()
	for _, x := range []struct{ name, subject, reply, body string }{
		{"create without a filter in the subject", "$JS.API.CONSUMER.CREATE." + stream + ".x", inbox, body(`"filter_subject":"` + ops + `"`)},
		{"create as of old", "$JS.API.CONSUMER.CREATE." + stream, inbox, body(`"filter_subject":"` + ops + `"`)},
		{"create a durable", "$JS.API.CONSUMER.DURABLE.CREATE." + stream + ".x", inbox, body(`"durable_name":"x"`)},
		{"own filter in the subject, the victim's in the body", create, inbox, body(`"filter_subject":"` + ops + `"`)},
		{"own filter in the subject, several in the body", create, inbox, body(`"filter_subjects":["` + mine + `","` + ops + `"]`)},
		{"own filter in the subject, none in the body", create, inbox, body(`"deliver_policy":"all"`)},
		{"read one message", "$JS.API.STREAM.MSG.GET." + stream, inbox, `{"last_by_subj":"` + ops + `"}`},
		{"read one message directly", "$JS.API.DIRECT.GET." + stream + "." + ops, inbox, ""},
		{"read through the domain's other name", "$JS.eu.API.DIRECT.GET." + stream + "." + ops, inbox, ""},
		{"next message of every consumer", "$JS.API.CONSUMER.MSG.NEXT." + stream + ".*", inbox, "100"},
		{"delete every consumer", "$JS.API.CONSUMER.DELETE." + stream + ".*", inbox, ""},
		{"push consumer into the victim's inbox", create, inbox, body(`"deliver_subject":"` + victims + `"`)},
		{"pull into the usage stream", "$JS.API.CONSUMER.MSG.NEXT." + stream + ".x", wire.UsageSubject("eu", v), "1"},
		{"pull into the operations", "$JS.API.CONSUMER.MSG.NEXT." + stream + ".x", ops, "1"},
		{"write the own subject, acknowledgement into the victim's", mine, ops, "forged"},
		{"write the victim's subject", ops, inbox, "forged"},
		{"purge by reply", "$JS.API.INFO", "$JS.API.STREAM.PURGE." + stream, ""},
		{"delete by reply", "$JS.API.INFO", "$JS.API.STREAM.DELETE." + stream, ""},
		{"acknowledge for others", "$JS.ACK." + stream + ".x.1.1.1.1.1", inbox, "+ACK"},
		{"take another account's requests", "$SYS.REQ.USER.INFO.x", inbox, ""},
	} {
		logged := strings.Count(a.log.String(), "Publish Violation")
		for _, h := range []nats.Header{nil, {jetstream.MsgIDHeader: {string(v) + "/eu/2"}}, {"Nats-Trace-Dest": {victims}}} {
			a.denied(x.name, publish(x.subject, x.reply, h, []byte(x.body)))
		}
		if n := strings.Count(a.log.String(), "Publish Violation") - logged; n != 3 {
			t.Errorf("%s: logged %d times, want 3", x.name, n)
		}
	}
	if after := a.streams(); after != before {
		t.Errorf("streams: got %s, want %s", after, before)
	}
	if len(hear) > 0 {
		m := <-hear
		t.Errorf("the victim received %q on %s", m.Data, m.Subject)
	}
	// The victim's next change, under the message id that the attacker used, is stored all the same.
	if _, err := a.victim.Push(a.victim.Next("mine")); err != nil {
		t.Fatal(err)
	}
	edgetest.Eventually(t, patience, "the victim's change is in the stream", func() bool { return a.streams() != before })
}

// A thousand consumers that nobody uses once took all that a stream may have.
func TestConsumersAreNotUsedUp(t *testing.T) {
	a := newAttack(t)
	before := a.streams()
	stream := wire.OpsStream(wire.Shard(a.victim.Tenant))
	for i := range 1000 {
		subject := fmt.Sprintf("$JS.API.CONSUMER.CREATE.%s.x%d.%s", stream, i, wire.OpsSubject("eu", a.attacker.Tenant))
		data := fmt.Sprintf(`{"stream_name":%q,"config":{"name":"x%d","inactive_threshold":86400000000000}}`, stream, i)
		if err := publish(subject, wire.InboxPrefix(a.attacker.Tenant, a.attacker.Name)+".x", nil, []byte(data))(a.attacker.Conn); err != nil {
			t.Fatal(err)
		}
	}
	if err := a.attacker.Conn.Flush(); err != nil {
		t.Fatal(err)
	}
	if after := a.streams(); after != before {
		t.Errorf("streams: got %s, want %s", after, before)
	}
	if n := strings.Count(a.log.String(), "Publish Violation"); n < 500 {
		t.Errorf("violations logged: got %d", n)
	}
}

// A session of one workspace names another in each call there is. It gets nothing of it, changes nothing, and is told
// nothing that it would not be told of a workspace that does not exist.
func TestSessionOfAnotherWorkspace(t *testing.T) {
	a := newAttack(t)
	v := a.victim.Tenant
	head := a.HeadsForTest(v)
	told := make(chan *nats.Msg, 100)
	if _, err := a.victim.Conn.ChanSubscribe(wire.Feed(v, "*"), told); err != nil {
		t.Fatal(err)
	}
	if err := a.victim.Conn.Flush(); err != nil {
		t.Fatal(err)
	}
	for _, w := range []struct {
		name   string
		tenant id.ID
	}{{"the victim's", v}, {"one that does not exist", edgetest.NewID()}} {
		inbox := wire.InboxPrefix(a.attacker.Tenant, a.attacker.Name) + ".x"
		for method, data := range map[string][]byte{
			wire.Push:     wire.PushRequest{Replica: a.attacker.Replica, Txs: []change.Tx{a.attacker.Next("forged")}}.Encode(),
			wire.Pull:     wire.PullRequest{}.Encode(),
			wire.Presence: wire.PresenceBeat{View: "project/x"}.Encode(),
		} {
			for _, conn := range []string{a.attacker.Name, a.victim.Name} {
				a.denied(w.name+": "+method, publish(wire.RPC(w.tenant, conn, method), inbox, nil, data))
			}
		}
		for _, scope := range []string{wire.ScopeAll, wire.ScopePresence, "*"} {
			a.denied(w.name+": feed", subscribe(wire.Feed(w.tenant, scope)))
		}
		// A new connection for it, with a good session that has no part in it.
		var b *edgetest.Browser
		var err error
		for range 20 { // a refused connection may be closed before its client has read why
			b, err = edgetest.TryConnect(a.WebSocketAddr(), a.attackerCookie, w.tenant, string(edgetest.NewID()), edgetest.NewDevice(a.attacker.Person))
			if !errors.Is(err, syscall.EPIPE) && !errors.Is(err, syscall.ECONNRESET) {
				break
			}
		}
		if err == nil {
			b.Conn.Close()
			t.Errorf("%s: connected", w.name)
		} else if !errors.Is(err, nats.ErrAuthorization) {
			t.Errorf("%s: got %v, want %v", w.name, err, nats.ErrAuthorization)
		}
	}
	// Rows of another workspace inside a push to the own one are rows of the own one.
	stolen := a.secret
	a.attacker.Num = 0
	stolen.Stamp, stolen.Num = a.attacker.Next("").Stamp, 1
	if _, err := a.attacker.Offer(wire.PushRequest{Replica: a.attacker.Replica, Txs: []change.Tx{stolen}}); err != nil {
		t.Fatal(err)
	}
	time.Sleep(300 * time.Millisecond)
	if got := a.HeadsForTest(v); !head.Covers(got) {
		t.Errorf("the victim's log: got %v, want %v", got, head)
	}
	if len(told) > 0 {
		t.Errorf("the victim was told something: %s", (<-told).Subject)
	}
	es, _, err := a.attacker.Pull(nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range es {
		if e.Tx.Actor == a.victim.Person {
			t.Errorf("the attacker got %+v", e)
		}
	}
}
