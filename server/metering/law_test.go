package metering

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"pgregory.net/rapid"

	"holdfast/sync/id"
	"holdfast/sync/usage"
)

// Whatever is told, however often, in whatever pieces and batches, over whatever restarts: each fact is counted once.
func TestCountLaw(t *testing.T) {
	root, n := t.TempDir(), 0
	rapid.Check(t, func(r *rapid.T) {
		n++
		dir := filepath.Join(root, fmt.Sprint(n))
		must(t, os.Mkdir(dir, 0o700))
		s := reopen(r, nil, dir)
		defer func() { s.Close() }()
		facts := map[string]bool{} // tenant, meter and member
		want := map[id.ID][2]int64{}
		fact := func(tenant id.ID, meter int, key string, quantity int64) {
			if k := fmt.Sprint(tenant, meter, key); !facts[k] {
				facts[k] = true
				w := want[tenant]
				w[meter] += quantity
				want[tenant] = w
			}
		}
		at, seq := position{created: month}, uint64(0)
		for range rapid.IntRange(1, 6).Draw(r, "batches") {
			var list []message
			for range rapid.IntRange(1, 12).Draw(r, "events") {
				seq++
				e := drawEvent(r, fact)
				list = append(list, message{seq, month, e.Encode()})
			}
			next, err := s.apply(context.Background(), "eu", at, list)
			if err != nil {
				r.Fatal(err)
			}
			switch at = next; rapid.IntRange(0, 5).Draw(r, "then") {
			case 0:
				s = reopen(r, s, dir)
			case 1: // the stream is read again from its beginning: here the same batch once more
				if at, err = s.apply(context.Background(), "eu", at, list); err != nil {
					r.Fatal(err)
				}
			}
		}
		for tenant, w := range want {
			list, _, err := s.Month(context.Background(), tenant, month)
			if err != nil || list[0].Quantity != max(w[0], 0) || list[1].Quantity != w[1] {
				r.Fatalf("%s: got %+v, want %v changes and calls, %v", tenant, list, w, err)
			}
		}
	})
}

func drawEvent(r *rapid.T, fact func(tenant id.ID, meter int, key string, quantity int64)) usage.Event {
	tenant := rapid.SampledFrom([]id.ID{acme, globe}).Draw(r, "tenant")
	e := usage.Event{Source: "edge/eu", Tenant: tenant, Time: month.Add(time.Hour)}
	switch rapid.IntRange(0, 3).Draw(r, "kind") {
	case 0:
		from := rapid.Uint64Range(1, 40).Draw(r, "from")
		to := from + rapid.Uint64Range(0, 9).Draw(r, "more")
		e.Meter, e.ID, e.Quantity = usage.Changes, usage.RangeID(usage.ChangesSeries(tenant), from, to), int64(to-from+1)
		for i := from; i <= to; i++ {
			fact(tenant, 0, fmt.Sprint(i), 1)
		}
	case 1: // one outbox row belongs to one tenant and has one quantity
		row := 2*rapid.Uint64Range(1, 20).Draw(r, "row") + map[id.ID]uint64{acme: 0, globe: 1}[tenant]
		e.Meter, e.ID, e.Quantity = usage.APICalls, usage.RangeID(usage.APICalls, row, row), int64(row*3)
		fact(tenant, 1, fmt.Sprint(row), int64(row*3))
	case 2: // what another region counts
		seq := rapid.Uint64Range(1, 40).Draw(r, "twice")
		e.Meter, e.ID, e.Quantity = usage.Twice, usage.RangeID(usage.TwiceSeries(tenant), seq, seq), 1
		fact(tenant, 0, fmt.Sprint("twice ", seq), -1)
	default:
		name := rapid.SampledFrom([]string{"a", "b", "c"}).Draw(r, "name") + string(tenant)
		e.Meter, e.ID, e.Quantity = usage.APICalls, name, 7
		fact(tenant, 1, name, 7)
	}
	return e
}

func reopen(r *rapid.T, old *Service, dir string) *Service {
	if old != nil {
		if err := old.Close(); err != nil {
			r.Fatal(err)
		}
	}
	s := New(Config{Dir: dir, Now: func() time.Time { return month.Add(48 * time.Hour) }, Log: slog.New(slog.DiscardHandler)})
	if err := s.Open(context.Background()); err != nil {
		r.Fatal(err)
	}
	return s
}
