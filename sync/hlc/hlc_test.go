package hlc

import (
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"holdfast/sync/fault"
)

var genStamp = rapid.Custom(func(t *rapid.T) Stamp {
	return Make(rapid.Int64Range(0, 5).Draw(t, "ms"), rapid.SampledFrom([]uint16{0, 1, 0xfffe, 0xffff}).Draw(t, "counter"), rapid.Uint64Range(1, 3).Draw(t, "replica"))
})

// Whatever the device's clock does and whatever is observed, a clock's stamps rise and come after all it saw.
func TestClockIsMonotone(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var now int64
		c := NewClock(2, func() time.Time { return time.UnixMilli(now) }, Stamp{})
		last := Stamp{}
		for range rapid.IntRange(1, 30).Draw(t, "steps") {
			switch rapid.IntRange(0, 3).Draw(t, "step") {
			case 0:
				now = rapid.Int64Range(0, 10).Draw(t, "now")
			case 1:
				s := genStamp.Draw(t, "observed")
				c.Observe(s)
				if last.Before(s) {
					last = s
				}
			case 2:
				c.Correct(time.Duration(rapid.Int64Range(-5, 5).Draw(t, "offset")) * time.Millisecond)
			case 3:
				s := c.Now()
				if !last.Before(s) || s.Replica() != 2 {
					t.Fatalf("%v after %v", s, last)
				}
				last = s
			}
		}
	})
}

func TestClockFollowsTime(t *testing.T) {
	now := time.UnixMilli(1000)
	c := NewClock(7, func() time.Time { return now }, Stamp{})
	if s := c.Now(); s != Make(1000, 0, 7) {
		t.Errorf("got %v", s)
	}
	if s := c.Now(); s != Make(1000, 1, 7) {
		t.Errorf("the same millisecond: got %v", s)
	}
	c.Correct(time.Second)
	if s := c.Now(); s != Make(2000, 0, 7) {
		t.Errorf("a clock that runs behind by a second: got %v", s)
	}
	if s := NewClock(7, func() time.Time { return now }, Make(9000, 0xffff, 7)).Now(); s != Make(9001, 0, 7) {
		t.Errorf("after a restart with the clock set back: got %v", s)
	}
}

func TestClockConcurrently(t *testing.T) {
	c := NewClock(1, time.Now, Stamp{})
	var mu sync.Mutex
	seen := map[Stamp]bool{}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 200 {
				s := c.Now()
				mu.Lock()
				if seen[s] {
					t.Errorf("%v twice", s)
				}
				seen[s] = true
				mu.Unlock()
			}
		})
	}
	wg.Wait()
}

// A replica whose clock is ahead keeps the order of its changes, never runs ahead of the limit by more than the counter,
// and is left alone when its clock is right.
func TestClamp(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		limit := time.UnixMilli(rapid.Int64Range(1, 5).Draw(t, "limit"))
		floor, last := Stamp{}, Stamp{}
		for range rapid.IntRange(1, 10).Draw(t, "n") {
			s := genStamp.Draw(t, "s")
			s = Make(s.MS(), s.Counter(), 1)
			if !last.Before(s) {
				continue
			}
			last = s
			c := Clamp(s, limit, floor)
			if !floor.Before(c) {
				t.Fatalf("%v became %v, not after %v", s, c, floor)
			}
			if s.MS() <= limit.UnixMilli() && c != s {
				t.Fatalf("%v became %v though it is not ahead", s, c)
			}
			if c.Replica() != 1 || c.MS() > limit.UnixMilli()+1 || s.Before(c) {
				t.Fatalf("%v became %v under %v", s, c, limit)
			}
			floor = c
		}
	})
}

func TestMakeAndText(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ms, n, r := rapid.Int64Range(0, msMax).Draw(t, "ms"), rapid.Uint16().Draw(t, "counter"), rapid.Uint64().Draw(t, "replica")
		s := Make(ms, n, r)
		if s.MS() != ms || s.Counter() != n || s.Replica() != r || s.Time().UnixMilli() != ms {
			t.Fatalf("%v does not hold %d, %d, %d", s, ms, n, r)
		}
		back, err := Parse(s.String())
		if err != nil || back != s {
			t.Fatalf("got %v, %v", back, err)
		}
		if u := Make(ms, n, r^1); (s.String() < u.String()) != s.Before(u) {
			t.Fatal("text and stamps sort differently")
		}
		if ms < msMax && (!s.Before(s.Next()) || s.Next().Replica() != r) {
			t.Fatalf("%v is next after %v", s.Next(), s)
		}
	})
	if Make(-5, 0, 1).MS() != 0 || Make(1<<60, 0, 1).MS() != msMax {
		t.Error("times outside 48 bits are not cut")
	}
	if _, err := Parse("tomorrow"); fault.KindOf(err) != fault.Invalid {
		t.Errorf("got %v", err)
	}
}
