package node_test

import (
	"testing"
	"time"

	"holdfast/edge/edgetest"
	"holdfast/sync/change"
	"holdfast/sync/wire"
)

func TestChangeReachesTheOtherRegion(t *testing.T) {
	w := newTwo(t)
	eu, us, ana, bo, acme := w.eu, w.us, w.ana, w.bo, w.acme
	a, b := eu.connect(ana, acme), us.connect(bo, acme)
	feed := b.Subscribe(t, wire.ScopeAll)

	r, err := a.Push(a.Next("one"))
	if err != nil {
		t.Fatal(err)
	}
	seq := r.Fates[0].Seq
	edgetest.Eventually(t, patience, "the change is on the other region's feed", func() bool {
		for len(feed) > 0 {
			m, err := wire.DecodeFeedMessage((<-feed).Data)
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range m.Entries {
				if e.Origin == "eu" && e.Seq == seq {
					return true
				}
			}
		}
		return false
	})
	es, last, err := b.Pull(nil)
	if err != nil {
		t.Fatal(err)
	}
	if last.Head["eu"] != seq || len(es) == 0 {
		t.Errorf("pull in the other region: head %v with %d entries, want eu at %d", last.Head, len(es), seq)
	}
	equal(t, patience, acme, change.Vector{"eu": seq}, eu, us)
	edgetest.Eventually(t, patience, "both know that it is everywhere", func() bool {
		return eu.EverywhereForTest(acme)["eu"] == seq && us.EverywhereForTest(acme)["eu"] == seq
	})
}

func TestEverywhereWaitsForACutRegion(t *testing.T) {
	t.Parallel()
	w := newTwo(t)
	eu, us, ana, acme := w.eu, w.us, w.ana, w.acme
	a := eu.connect(ana, acme)
	feed := a.Subscribe(t, wire.ScopeAll)
	us.link.Cut()
	r, err := a.Push(a.Next("one"))
	if err != nil {
		t.Fatal(err)
	}
	seq := r.Fates[0].Seq
	time.Sleep(time.Second)
	if got := eu.EverywhereForTest(acme)["eu"]; got >= seq {
		t.Errorf("everywhere while a region is cut off: got %d, want less than %d", got, seq)
	}
	us.link.Heal()
	edgetest.Eventually(t, patience, "the browser is told that it is everywhere", func() bool {
		for len(feed) > 0 {
			m, err := wire.DecodeFeedMessage((<-feed).Data)
			if err != nil {
				t.Fatal(err)
			}
			if m.Everywhere["eu"] == seq {
				return true
			}
		}
		return false
	})
}

func TestCutRegionsGoOnAndHeal(t *testing.T) {
	t.Parallel()
	const each = 3000
	w := newTwo(t)
	eu, us, ana, bo, acme := w.eu, w.us, w.ana, w.bo, w.acme
	a, b := eu.connect(ana, acme), us.connect(bo, acme)
	pushMany(t, a, 10)
	pushMany(t, b, 10)
	for _, broken := range []struct {
		name  string
		cut   func()
		while time.Duration
	}{{"cut", us.link.Cut, 5 * time.Second}, {"muted", us.link.Mute, 16 * time.Second}} {
		broken.cut()
		began := time.Now()
		pushMany(t, a, each)
		pushMany(t, b, each)
		time.Sleep(time.Until(began.Add(broken.while)))
		want := w.heads()
		us.link.Heal()
		healed := time.Now()
		for _, e := range []*edge{eu, us} {
			edgetest.Eventually(t, patience, e.Region()+" has all", func() bool { return e.HeadsForTest(acme).Covers(want) })
			t.Logf("%s: %s had all %d after %v", broken.name, e.Region(), each, time.Since(healed))
		}
		equal(t, patience, acme, want, eu, us)
	}
}
