package directory

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"testing"
	"time"

	"holdfast/sync/id"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// Records lie in the hub's bucket and in every edge's copy, written by one version and read by another.
func TestRecordsGolden(t *testing.T) {
	const file = "testdata/records.golden"
	tenant, person := id.Derive("tenant"), id.Derive("ana")
	var b bytes.Buffer
	for _, r := range []struct {
		key   string
		value any
	}{
		{TenantKey(tenant), Tenant{ID: tenant, Name: "Acme", Home: "eu", Regions: []string{"eu", "us"}, Members: []Member{{person, "Ana", "owner", "teal", true, 5}}, Limits: map[string]int64{"tasks": 9}, State: Active, CreatedMS: 4}},
		{SigningKey("k1"), Key{Public: []byte("0123456789abcdef0123456789abcdef")}},
		{RevokedKey(id.Derive("session")), Revoked{time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)}},
		{RegionKey("eu"), Region{"eu", "https://eu.example.com"}},
		{RuleKey(tenant, id.Derive("rule")), Rule{tenant, id.Derive("rule"), "Done needs somebody", []byte("0123456789abcdef0123456789abcdef"), []byte("\x00asm")}},
	} {
		j, err := json.Marshal(r.value)
		if err != nil {
			t.Fatal(err)
		}
		b.WriteString(r.key + " " + string(j) + "\n")
	}
	if *update {
		if err := os.WriteFile(file, b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(b.Bytes(), want) {
		t.Fatalf("got\n%swant\n%s", b.Bytes(), want)
	}
}

func TestSplit(t *testing.T) {
	session := id.Derive("session")
	for key, want := range map[string][2]string{
		TenantKey(session): {"tenant", string(session)}, SigningKey("k.1"): {"key", "k.1"}, RevokedKey(session): {"revoked", string(session)},
		RegionKey("eu"): {"region", "eu"}, "": {"", ""}, "tenant": {"", ""},
	} {
		if kind, name := Split(key); kind != want[0] || name != want[1] {
			t.Errorf("%q: got %q %q, want %q", key, kind, name, want)
		}
	}
}

func TestTenant(t *testing.T) {
	ana := id.Derive("ana")
	tenant := Tenant{Members: []Member{{Person: ana, Role: "owner"}}}
	if m := tenant.Member(ana); m == nil || m.Role != "owner" {
		t.Errorf("got %+v", m)
	}
	if tenant.Member(id.Derive("bo")) != nil {
		t.Error("a stranger is a member")
	}
	if !tenant.Serves("eu") {
		t.Error("without a list every region serves")
	}
	tenant.Regions = []string{"us"}
	if tenant.Serves("eu") || !tenant.Serves("us") {
		t.Error("with a list only those on it serve")
	}
}
