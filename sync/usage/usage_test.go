package usage

import (
	"bytes"
	"flag"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"holdfast/sync/fault"
	"holdfast/sync/id"
)

var update = flag.Bool("update", false, "rewrite the golden files")

var event = Event{ID: "changes/t:1-9", Source: "edge/eu", Meter: Changes, Tenant: id.Derive("tenant"),
	Time: time.Date(2026, 11, 23, 9, 8, 7, 654_000_000, time.UTC), Quantity: 9, Dims: map[string]string{"region": "eu", "a": "b"}}

// Events lie in streams and are read by other programs: their form may not change.
func TestEventGolden(t *testing.T) {
	const file = "testdata/event.golden"
	local := event
	local.Time = event.Time.In(time.FixedZone("far", 3*3600)) // one moment has one form
	got := append(local.Encode(), '\n')
	if *update {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Fatalf("got\n%swant\n%s", got, want)
	}
	back, err := Decode(want)
	if err != nil || !reflect.DeepEqual(back, event) {
		t.Fatalf("got %+v, %v; want %+v", back, err, event)
	}
}

func TestDecodeRefuses(t *testing.T) {
	good := string(event.Encode())
	for _, c := range []struct {
		name, from, to string
		kind           fault.Kind
	}{
		{"not-json", `{"spec`, `"spec`, fault.Invalid},
		{"future-version", `"1.0"`, `"2.0"`, fault.Unsupported},
		{"no-id", `"changes/t:1-9"`, `""`, fault.Invalid},
		{"no-source", `"edge/eu"`, `""`, fault.Invalid},
		{"foreign-type", `"holdfast.changes"`, `"other.changes"`, fault.Invalid},
		{"no-meter", `"holdfast.changes"`, `"holdfast."`, fault.Invalid},
		{"no-tenant", string(event.Tenant), "acme", fault.Invalid},
		{"negative", `"quantity":9`, `"quantity":-9`, fault.Invalid},
		{"half-a-unit", `"quantity":9`, `"quantity":9.5`, fault.Invalid},
		{"no-time", `"2026-11-23T09:08:07.654Z"`, `"0001-01-01T00:00:00Z"`, fault.Invalid},
	} {
		bad := strings.Replace(good, c.from, c.to, 1)
		if bad == good {
			t.Fatalf("%s changes nothing", c.name)
		}
		if _, err := Decode([]byte(bad)); fault.KindOf(err) != c.kind || err == nil {
			t.Errorf("%s: got %v, want %v", c.name, err, c.kind)
		}
	}
}

func FuzzDecode(f *testing.F) {
	f.Add(event.Encode())
	f.Fuzz(func(t *testing.T, b []byte) {
		e, err := Decode(b)
		if err != nil || e.Time.Year() > 9999 || e.Time.Year() < 0 {
			return
		}
		back, err := Decode(e.Encode())
		if err != nil || !back.Time.Equal(e.Time) || back.ID != e.ID || back.Quantity != e.Quantity || back.Meter != e.Meter {
			t.Fatalf("%+v became %+v, %v", e, back, err)
		}
	})
}
