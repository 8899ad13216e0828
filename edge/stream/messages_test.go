package stream

import (
	"bytes"
	"maps"
	"reflect"
	"testing"

	"pgregory.net/rapid"

	"holdfast/sync/change"
	"holdfast/sync/fault"
	"holdfast/sync/id"
	"holdfast/sync/wire"
)

var (
	anyTenant = rapid.Custom(func(t *rapid.T) id.ID { return id.Derive(rapid.StringN(1, 8, -1).Draw(t, "tenant")) })
	anyRegion = rapid.StringMatching(`[a-z][a-z0-9-]{0,9}`)
	anyVector = rapid.Custom(func(t *rapid.T) change.Vector {
		return change.Vector(rapid.MapOfN(anyRegion, rapid.Uint64Min(1), 0, 5).Draw(t, "vector"))
	})
)

func TestMessagesComeBackAsTheyWere(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := fetchRequest{anyTenant.Draw(t, "t"), anyRegion.Draw(t, "o"), rapid.Uint64().Draw(t, "after")}
		if got, err := decodeFetch(f.encode()); err != nil || got != f {
			t.Fatalf("got %v, %v; want %v", got, err, f)
		}
		q := headsRequest{rapid.IntRange(0, wire.Shards-1).Draw(t, "shard"), anyTenant.Draw(t, "after")}
		if got, err := decodeHeadsRequest(q.encode()); err != nil || got != q {
			t.Fatalf("got %v, %v; want %v", got, err, q)
		}
		h := headsReply{rapid.MapOf(anyTenant, rapid.Uint64()).Draw(t, "heads"), rapid.Bool().Draw(t, "more")}
		if got, err := decodeHeadsReply(h.encode()); err != nil || got.More != h.More || !maps.Equal(got.Heads, h.Heads) {
			t.Fatalf("got %v, %v; want %v", got, err, h)
		}
		c := copyRequest{anyTenant.Draw(t, "t"), rapid.StringN(0, 20, -1).Draw(t, "tag"), rapid.Uint64().Draw(t, "offset")}
		if len(c.Tag) <= tagMax {
			if got, err := decodeCopy(c.encode()); err != nil || got != c {
				t.Fatalf("got %v, %v; want %v", got, err, c)
			}
		}
		p := copyReply{Tag: "x", Bytes: rapid.Uint64().Draw(t, "bytes"), Data: rapid.SliceOf(rapid.Byte()).Draw(t, "data")}
		if got, err := decodeCopyReply(p.encode()); err != nil || got.Tag != p.Tag || got.Bytes != p.Bytes || !bytes.Equal(got.Data, p.Data) {
			t.Fatalf("got %v, %v; want %v", got, err, p)
		}
		p = copyReply{Err: fault.E("test", fault.Conflict, nil)}
		if got, err := decodeCopyReply(p.encode()); err != nil || fault.KindOf(got.Err) != fault.Conflict {
			t.Fatalf("got %v, %v", got, err)
		}
		a := applied{anyRegion.Draw(t, "region"), rapid.MapOfN(anyTenant, anyVector, 0, 20).Draw(t, "tenants")}
		if got, err := decodeApplied(a.encode()); err != nil || !reflect.DeepEqual(got, a) {
			t.Fatalf("got %v, %v; want %v", got, err, a)
		}
	})
}

func TestPagesHoldTheirLimit(t *testing.T) {
	h := headsReply{Heads: map[id.ID]uint64{}}
	for i := range headsPage {
		h.Heads[id.FromBytes([16]byte{15: byte(i), 14: byte(i >> 8), 0: 1})] = 1
	}
	b := h.encode()
	if len(b) > wire.PayloadMax {
		t.Fatalf("a full page has %d bytes; a message holds %d", len(b), wire.PayloadMax)
	}
	if _, err := decodeHeadsReply(b); err != nil {
		t.Fatal("a full page:", err)
	}
	h.Heads[id.FromBytes([16]byte{0: 2})] = 1
	if _, err := decodeHeadsReply(h.encode()); fault.KindOf(err) != fault.Invalid {
		t.Errorf("one more than a page: got %v, want invalid", err)
	}
	a := applied{"eu", map[id.ID]change.Vector{}}
	for i := range appliedMax {
		v := change.Vector{}
		for o := range change.OriginsMax {
			v["a-region-with-a-rather-long-name-"+string(rune('a'+o/26))+string(rune('a'+o%26))] = 1 << 60
		}
		a.Tenants[id.FromBytes([16]byte{15: byte(i), 14: byte(i >> 8), 0: 1})] = v
	}
	if n := len(a.encode()); n > wire.PayloadMax {
		t.Errorf("a full report has %d bytes; a message holds %d", n, wire.PayloadMax)
	}
}

// Whatever comes in is refused or is exactly what the encoder would have written.
func FuzzMessages(f *testing.F) {
	f.Add(fetchRequest{id.Derive("t"), "eu", 7}.encode())
	f.Add(headsRequest{3, id.Derive("t")}.encode())
	f.Add(headsReply{map[id.ID]uint64{id.Derive("t"): 5}, true}.encode())
	f.Add(applied{"us", map[id.ID]change.Vector{id.Derive("t"): {"eu": 1}}}.encode())
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) == 0 || b[0] != 0 {
			return // compressed: the same body has other frames
		}
		same := func(err error, again []byte) {
			if err == nil && len(b) < 1000 && !bytes.Equal(again, b) {
				t.Fatalf("accepted %x, writes %x", b, again)
			}
		}
		fetch, err := decodeFetch(b)
		same(err, fetch.encode())
		req, err := decodeHeadsRequest(b)
		same(err, req.encode())
		heads, err := decodeHeadsReply(b)
		same(err, heads.encode())
		a, err := decodeApplied(b)
		same(err, a.encode())
	})
}
