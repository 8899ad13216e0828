package wire

import (
	"strings"
	"testing"

	"holdfast/sync/fault"
	"holdfast/sync/id"
)

func TestRPCSubjects(t *testing.T) {
	conn := string(id.Derive("conn"))
	gotTenant, gotConn, method, err := ParseRPC(RPC(tenant, conn, Push))
	if err != nil || gotTenant != tenant || gotConn != conn || method != Push {
		t.Errorf("got %q %q %q %v", gotTenant, gotConn, method, err)
	}
	for _, bad := range []string{"", "rpc", "rpc." + string(tenant), "rpc.x.c.push", "rpc." + string(tenant) + "..push", "rpc." + string(tenant) + ".c.push.more", "RPC." + string(tenant) + ".c.push", "feed." + string(tenant) + ".c.push"} {
		if _, _, _, err := ParseRPC(bad); fault.KindOf(err) != fault.Invalid || err == nil {
			t.Errorf("%q is taken for a call: %v", bad, err)
		}
	}
}

// The reply subject is under no permission of the server, so this check is the wall.
func TestOwnInbox(t *testing.T) {
	conn, other := string(id.Derive("conn")), id.Derive("other")
	own := InboxPrefix(tenant, conn)
	for reply, want := range map[string]bool{
		own + ".1": true, own + ".a.b": true,
		own: false, own + "x.1": false, "": false, InboxPrefix(other, conn) + ".1": false, InboxPrefix(tenant, "else") + ".1": false,
		Feed(other, ScopeAll): false, "ops.eu.1." + string(other): false, "x" + own + ".1": false,
	} {
		if OwnInbox(reply, tenant, conn) != want {
			t.Errorf("%q: want %v", reply, want)
		}
	}
}

func TestConnName(t *testing.T) {
	conn := string(id.Derive("conn"))
	gotTenant, gotConn, replica, err := ParseConnName(ConnName(tenant, conn, 1<<63+5))
	if err != nil || gotTenant != tenant || gotConn != conn || replica != 1<<63+5 {
		t.Errorf("got %q %q %d %v", gotTenant, gotConn, replica, err)
	}
	for _, bad := range []string{"", "//", ConnName(tenant, conn, 0), ConnName("x", conn, 1), ConnName(tenant, "a.b", 1), ConnName(tenant, ">", 1), ConnName(tenant, conn, 1) + "/", string(tenant) + "/" + conn + "/-1", string(tenant) + "/" + conn + "/10000000000000000"} {
		if _, _, _, err := ParseConnName(bad); fault.KindOf(err) != fault.Invalid || err == nil {
			t.Errorf("%q is taken for a connection's name: %v", bad, err)
		}
	}
}

// Shards are part of the protocol: a tenant that moved to another stream would be lost from sight.
func TestShards(t *testing.T) {
	for name, want := range map[string]int{"a": 3, "b": 13, "c": 14} {
		if got := Shard(id.Derive(name)); got != want {
			t.Errorf("tenant %q lies in shard %d, lay in %d", name, got, want)
		}
	}
	used := map[int]bool{}
	for i := range 1000 {
		s := Shard(id.Derive("tenant", string(rune(i))))
		if s < 0 || s >= Shards {
			t.Fatalf("shard %d", s)
		}
		used[s] = true
	}
	if len(used) != Shards {
		t.Errorf("1000 tenants use %d of %d shards", len(used), Shards)
	}
	prefix := strings.TrimSuffix(OpsSubjects("eu", Shard(tenant)), "*")
	if got := OpsSubject("eu", tenant); got != prefix+string(tenant) {
		t.Errorf("%s is not captured by %s*", got, prefix)
	}
}
