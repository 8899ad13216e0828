package wire

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"holdfast/sync/change"
	"holdfast/sync/fault"
	"holdfast/sync/hlc"
	"holdfast/sync/id"
)

var update = flag.Bool("update", false, "rewrite the golden files")

var (
	tenant = id.Derive("tenant")
	tx     = change.Tx{Num: 3, Stamp: hlc.Make(1_764_000_000_000, 1, 9), Actor: id.Derive("ana"), Command: "task.rename", Rows: []change.Row{
		{Table: "task", ID: id.Derive("T1"), Cells: []change.Cell{{Col: "title", Val: change.V("Apples"), Base: hlc.Make(1, 0, 2)}}}}}
	entry    = change.Entry{Origin: "eu", Seq: 12, Tx: tx}
	accepted = Fate{Num: 1, Accepted: true, Origin: "eu", Seq: 12, Stamp: hlc.Make(1_764_000_000_000, 1, 9)}
	rejected = Fate{Num: 2, Kind: fault.TooLarge, Table: "task", Row: id.Derive("T1"), Col: "title", Detail: "The title is too long."}
)

// message is how one kind of message is read and written again.
type message struct {
	name   string
	sample interface{ Encode() []byte }
	decode func([]byte) (interface{ Encode() []byte }, error)
}

func of[T interface{ Encode() []byte }](name string, sample T, decode func([]byte) (T, error)) message {
	return message{name, sample, func(b []byte) (interface{ Encode() []byte }, error) { return decode(b) }}
}

var messages = []message{
	of("push-request", PushRequest{Replica: 9, Cursor: change.Vector{"eu": 4, "us": 300}, NowMS: 1_764_000_000_123, Txs: []change.Tx{tx}}, DecodePushRequest),
	of("push-reply", PushReply{NowMS: 1_764_000_000_456, Fates: []Fate{accepted, rejected}}, DecodePushReply),
	of("push-reply-temporary", PushReply{NowMS: 1, Fates: []Fate{accepted}, Err: fault.Errorf("edge", fault.Behind, "Not here yet.")}, DecodePushReply),
	of("pull-request", PullRequest{Cursor: change.Vector{"eu": 4}}, DecodePullRequest),
	of("pull-reply", PullReply{Entries: []change.Entry{entry}, Head: change.Vector{"eu": 12}, Everywhere: change.Vector{"eu": 11}, More: true}, DecodePullReply),
	of("pull-reply-snapshot", PullReply{Entries: []change.Entry{}, Head: change.Vector{"eu": 12}, Everywhere: change.Vector{}, Snapshot: true}, DecodePullReply),
	of("feed", FeedMessage{Entries: []change.Entry{entry}, Everywhere: change.Vector{"eu": 11}}, DecodeFeedMessage),
	of("presence-beat", PresenceBeat{View: "task/1"}, DecodePresenceBeat),
	of("presence", PresenceMessage{People: []Person{{id.Derive("ana"), "c1", "eu", "task/1"}}}, DecodePresenceMessage),
	of("presence-refused", PresenceMessage{Err: fault.E("edge", fault.Limit, nil)}, DecodePresenceMessage),
}

// Browsers of an older version are still out there when an edge is updated: the bytes may not change.
func TestMessagesGolden(t *testing.T) {
	const file = "testdata/messages.golden"
	var b strings.Builder
	for _, m := range messages {
		fmt.Fprintf(&b, "%s %x\n", m.name, m.sample.Encode())
	}
	fmt.Fprintf(&b, "fate-accepted %x\nfate-rejected %x\n", EncodeFate(accepted), EncodeFate(rejected))
	if *update {
		if err := os.WriteFile(file, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if b.String() != string(want) {
		t.Fatalf("got\n%swant\n%s", b.String(), want)
	}
}

func TestMessagesRoundTrip(t *testing.T) {
	for _, m := range messages {
		got, err := m.decode(m.sample.Encode())
		if err != nil || !reflect.DeepEqual(fmt.Sprintf("%+v", got), fmt.Sprintf("%+v", m.sample)) {
			t.Errorf("%s: got %+v, %v; want %+v", m.name, got, err, m.sample)
		}
	}
	for _, f := range []Fate{accepted, rejected} {
		if got, err := DecodeFate(EncodeFate(f)); err != nil || got != f {
			t.Errorf("got %+v, %v; want %+v", got, err, f)
		}
	}
}

func TestErrorsCross(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		kind := fault.Kind(rapid.Byte().Draw(t, "kind")) // also of a newer peer
		detail := rapid.StringN(0, 600, DetailMax+100).Draw(t, "detail")
		got, err := DecodePushReply(PushReply{Err: fault.Errorf("x", kind, "%s", detail)}.Encode())
		if err != nil {
			t.Fatal(err)
		}
		if got.Err == nil || fault.KindOf(got.Err) != kind || fault.DetailOf(got.Err) != detail[:min(len(detail), DetailMax)] {
			t.Fatalf("got %v, want %v with %q", got.Err, kind, detail)
		}
	})
}

func TestFrame(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		body := rapid.SliceOfN(rapid.ByteRange(0, 3), 0, 5000).Draw(t, "body")
		f := Frame(body)
		if len(f) > len(body)+1 {
			t.Fatalf("%d bytes became %d", len(body), len(f))
		}
		got, err := Unframe(f)
		if err != nil || !bytes.Equal(got, body) {
			t.Fatalf("got %x, %v", got, err)
		}
	})
	long := bytes.Repeat([]byte("holdfast "), 1000)
	if f := Frame(long); len(f) > len(long)/10 {
		t.Errorf("%d bytes that repeat became %d", len(long), len(f))
	}
	for name, in := range map[string]struct {
		frame []byte
		kind  fault.Kind
	}{
		"empty":        {nil, fault.Invalid},
		"unknown-way":  {[]byte{2, 0}, fault.Unsupported},
		"damaged":      {[]byte{flated, 0xff, 0xff}, fault.Invalid},
		"bomb":         {Frame(make([]byte, bodyMax+1)), fault.TooLarge},
		"left-over":    {append(Frame(long), 0), fault.Invalid},
		"cut-in-flate": {Frame(long)[:20], fault.Invalid},
	} {
		if _, err := Unframe(in.frame); fault.KindOf(err) != in.kind || err == nil {
			t.Errorf("%s: got %v, want %v", name, err, in.kind)
		}
	}
	if _, err := Unframe(Frame(make([]byte, bodyMax))); err != nil {
		t.Errorf("a body at its bound: %v", err)
	}
}

func TestDecodeRefuses(t *testing.T) {
	for _, m := range messages {
		good := m.sample.Encode()
		for name, c := range map[string]struct {
			frame []byte
			kind  fault.Kind
		}{
			"cut":       {good[:len(good)-1], fault.Invalid},
			"left-over": {append(bytes.Clone(good), 0), fault.Invalid},
			"newer":     {append([]byte{plain, version + 1}, good[2:]...), fault.Unsupported},
			"no-body":   {[]byte{plain}, fault.Invalid},
		} {
			if _, err := m.decode(c.frame); fault.KindOf(err) != c.kind || err == nil {
				t.Errorf("%s %s: got %v, want %v", m.name, name, err, c.kind)
			}
		}
	}
	many := PushRequest{}
	for range PushTxsMax + 1 {
		many.Txs = append(many.Txs, change.Tx{})
	}
	if _, err := DecodePushRequest(many.Encode()); fault.KindOf(err) != fault.Invalid {
		t.Errorf("%d transactions: got %v", len(many.Txs), err)
	}
	many.Txs = many.Txs[1:]
	if _, err := DecodePushRequest(many.Encode()); err != nil {
		t.Errorf("%d transactions: got %v", len(many.Txs), err)
	}
	if _, err := DecodePresenceBeat(PresenceBeat{strings.Repeat("x", ViewBytesMax+1)}.Encode()); fault.KindOf(err) != fault.Invalid {
		t.Errorf("a long view: got %v", err)
	}
}

// Whatever a decoder accepts is exactly what its encoder would have written, and none panics.
func FuzzDecode(f *testing.F) {
	for i, m := range messages {
		f.Add(i, m.sample.Encode())
	}
	f.Fuzz(func(t *testing.T, which int, frame []byte) {
		m := messages[uint(which)%uint(len(messages))]
		got, err := m.decode(frame)
		if err != nil {
			return
		}
		in, _ := Unframe(frame)
		if out, err := Unframe(got.Encode()); err != nil || !bytes.Equal(in, out) {
			t.Fatalf("%s accepted %x, which is written as %x (%v)", m.name, in, out, err)
		}
	})
}

func FuzzDecodeFate(f *testing.F) {
	f.Add(EncodeFate(accepted))
	f.Add(EncodeFate(rejected))
	f.Fuzz(func(t *testing.T, b []byte) {
		if fate, err := DecodeFate(b); err == nil && !bytes.Equal(EncodeFate(fate), b) {
			t.Fatalf("accepted %x, which is written as %x", b, EncodeFate(fate))
		}
	})
}
