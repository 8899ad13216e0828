package quota

import (
	"context"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"holdfast/sync/change"
	"holdfast/sync/directory"
	"holdfast/sync/fault"
	"holdfast/sync/id"
	"holdfast/sync/ingress"
)

var until = time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC)

// service is the limit as the hub publishes it to regions that each count for themselves.
type service struct {
	limits  map[string]int64
	now     time.Time
	regions []string
	edges   []*Quota
	taken   int64
}

func newService(regions int, limit, used int64) *service {
	s := &service{now: until.AddDate(0, 0, -8), limits: map[string]int64{Changes: limit, UsedKey: used, UntilKey: until.UnixMilli()}}
	for range regions {
		s.regions = append(s.regions, "r")
		s.edges = append(s.edges, New(Config{Tenant: func(id.ID) (directory.Tenant, bool) { return directory.Tenant{Limits: s.limits}, true },
			Regions: func(id.ID) []string { return s.regions }, Now: func() time.Time { return s.now }}))
	}
	return s
}

func (s *service) push(edge int) error {
	err := s.edges[edge].Admit(context.Background(), "t", ingress.Actor{}, change.Tx{}, nil)
	if err == nil {
		s.taken++
	}
	return err
}

func TestRefusalSaysWhatHappenedAndWhatToDo(t *testing.T) {
	s := newService(1, 3, 1)
	for range 2 {
		if err := s.push(0); err != nil {
			t.Fatal(err)
		}
	}
	err := s.push(0)
	if fault.KindOf(err) != fault.Limit {
		t.Fatalf("%v", err)
	}
	for _, want := range []string{"3 changes a month", "Nothing you wrote is lost", "1 December", "Billing"} {
		if !strings.Contains(fault.DetailOf(err), want) {
			t.Errorf("%q does not say %q", fault.DetailOf(err), want)
		}
	}
	s.limits = map[string]int64{} // a plan without the limit
	if err := s.push(0); err != nil {
		t.Error(err)
	}
}

func TestANewMonthBeginsAlsoWithoutTheHub(t *testing.T) {
	s := newService(1, 2, 2)
	if err := s.push(0); err == nil {
		t.Fatal("accepted over the limit")
	}
	s.now = until
	for range 2 {
		if err := s.push(0); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.push(0); err == nil {
		t.Error("accepted over the new month's limit")
	}
}

// However pushes and the hub's counting interleave, regions together never accept more than the limit, but for the one that each
// may always take while something is left; and all of it can be used.
func TestLawTogetherWithinTheLimit(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		regions, limit := rapid.IntRange(1, 4).Draw(t, "regions"), rapid.Int64Range(0, 60).Draw(t, "limit")
		s := newService(regions, limit, 0)
		for range rapid.IntRange(0, 200).Draw(t, "steps") {
			if rapid.IntRange(0, 5).Draw(t, "what") == 0 { // the hub counts everything and says so
				s.limits = map[string]int64{Changes: limit, UsedKey: s.taken, UntilKey: until.UnixMilli()}
			}
			_ = s.push(rapid.IntRange(0, regions-1).Draw(t, "edge")) // refusals are the point
		}
		if s.taken > limit+int64(regions)-1 {
			t.Fatalf("%d of %d accepted", s.taken, limit)
		}
		for n := 0; s.taken < limit; n++ {
			s.limits = map[string]int64{Changes: limit, UsedKey: s.taken, UntilKey: until.UnixMilli()}
			if err := s.push(n % regions); err != nil && n > 4*int(limit)+4 {
				t.Fatalf("%d of %d, and no more: %v", s.taken, limit, err)
			}
		}
	})
}
