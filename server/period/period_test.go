package period

import (
	"sort"
	"testing"
	"time"

	"pgregory.net/rapid"

	"holdfast/server/money"
)

func date(s string) time.Time {
	for _, f := range []string{"2006-01-02", "2006-01-02T15:04:05"} {
		if t, err := time.Parse(f, s); err == nil {
			return t
		}
	}
	panic(s)
}

func TestBM14_AnchorNeverDrifts(t *testing.T) {
	for _, c := range []struct {
		name   string
		anchor string
		iv     Interval
		want   []string
	}{
		{"31-january", "2025-01-31", Interval{Month, 1}, []string{"2025-02-28", "2025-03-31", "2025-04-30", "2025-05-31"}},
		{"31-january-leap", "2024-01-31", Interval{Month, 1}, []string{"2024-02-29", "2024-03-31", "2024-04-30"}},
		{"30-november-quarters", "2025-11-30", Interval{Month, 3}, []string{"2026-02-28", "2026-05-30"}},
		{"leap-day-years", "2024-02-29", Interval{Year, 1}, []string{"2025-02-28", "2026-02-28", "2027-02-28", "2028-02-29"}},
		{"weeks", "2025-12-29", Interval{Week, 2}, []string{"2026-01-12", "2026-01-26"}},
		{"days", "2026-02-27", Interval{Day, 1}, []string{"2026-02-28", "2026-03-01"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			for i, w := range c.want {
				if got := c.iv.Nth(date(c.anchor), i+1).Format("2006-01-02"); got != w {
					t.Errorf("step %d: got %s, want %s", i+1, got, w)
				}
			}
		})
	}
}

func TestLawPeriodsTileTime(t *testing.T) {
	paris, err := time.LoadLocation("Europe/Paris")
	if err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(t *rapid.T) {
		loc := rapid.SampledFrom([]*time.Location{time.UTC, paris}).Draw(t, "zone")
		anchor := time.Unix(rapid.Int64Range(0, 4e9).Draw(t, "anchor"), 0).In(loc)
		iv := Interval{rapid.SampledFrom([]Unit{Day, Week, Month, Year}).Draw(t, "unit"), rapid.IntRange(1, 24).Draw(t, "count")}
		at := time.Unix(rapid.Int64Range(0, 4e9).Draw(t, "at"), 0)
		s := iv.Containing(anchor, at)
		if !s.Contains(at) {
			t.Fatalf("%v does not contain %v", s, at)
		}
		if next := iv.Containing(anchor, s.End); !next.Start.Equal(s.End) {
			t.Fatalf("after %v comes %v", s, next)
		}
	})
}

func TestWorkedFractions(t *testing.T) {
	month := Interval{Month, 1}
	for _, c := range []struct {
		name        string
		policy      Policy
		anchor, at  string
		price, want int64
	}{
		{"27-of-31-days", DayActual, "2023-03-01", "2023-03-05", 1000, 871},
		{"upgrade-20-of-31", DayActual, "2023-03-01", "2023-03-12", 1500, 968},
		{"upgrade-to-1900", DayActual, "2023-03-01", "2023-03-12", 1900, 1226},
		{"trial-17-of-31", DayActual, "2023-03-01", "2023-03-15", 5_000_000, 2_741_935},
		{"29-of-30", DayActual, "2022-06-01", "2022-06-02", 20000, 19333},
		{"half-by-seconds", Second, "2025-04-01", "2025-04-16", 2000, 1000},
		{"stub-of-february", Second, "2025-02-01", "2025-02-15", 2800, 1400},
		{"stub-of-january", Second, "2025-01-01", "2025-01-15", 1000, 548},
		{"23-may-actual", DayActual, "2012-05-15", "2012-05-23", 1_000_000_000, 741_935_484},
		{"23-june-actual", DayActual, "2012-06-15", "2012-06-23", 1_000_000_000, 733_333_333},
		{"23-may-thirty", Day30, "2012-05-15", "2012-05-23", 1_000_000_000, 733_333_333},
		{"23-june-thirty", Day30, "2012-06-15", "2012-06-23", 1_000_000_000, 733_333_333},
		{"none-is-whole", None, "2012-06-15", "2012-06-23", 700, 700},
	} {
		t.Run(c.name, func(t *testing.T) {
			full := month.Containing(date(c.anchor), date(c.at))
			got, err := c.policy.Part(money.Int(c.price), full, month, date(c.at)).Round()
			if err != nil || got != c.want {
				t.Errorf("got %d %v, want %d", got, err, c.want)
			}
		})
	}
	year := Interval{Year, 1}
	full := year.Containing(date("2023-07-19"), date("2023-11-19"))
	if got, _ := DayActual.Part(money.Int(118_800), full, year, date("2023-11-19")).Round(); got != 78_875 {
		t.Errorf("243 of 366 days: got %d, want 78875", got)
	}
}

func TestLawSplittingAPeriodNeverChangesItsTotal(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := rapid.SampledFrom([]Policy{Second, DayActual, Day30, None}).Draw(t, "policy")
		iv := Interval{rapid.SampledFrom([]Unit{Day, Week, Month, Year}).Draw(t, "unit"), rapid.IntRange(1, 12).Draw(t, "count")}
		anchor := time.Unix(rapid.Int64Range(0, 4e9).Draw(t, "anchor"), 0).UTC()
		full := iv.Containing(anchor, anchor)
		price := money.Frac(rapid.Int64Range(-1e12, 1e12).Draw(t, "num"), rapid.Int64Range(1, 1000).Draw(t, "den"))
		var cuts []time.Time
		for range rapid.IntRange(0, 8).Draw(t, "cuts") {
			cuts = append(cuts, full.Start.Add(time.Duration(rapid.Int64Range(0, int64(full.End.Sub(full.Start))).Draw(t, "cut"))))
		}
		sort.Slice(cuts, func(i, j int) bool { return cuts[i].Before(cuts[j]) })
		pieces, err := p.Cut(price, full, iv, cuts)
		if err != nil {
			t.Fatal(err)
		}
		want, _ := price.Round()
		var sum int64
		for i, x := range pieces {
			sum += x
			from, to := full.Start, full.End
			if i > 0 {
				from = cuts[i-1]
			}
			if i < len(cuts) {
				to = cuts[i]
			}
			exact := p.Part(price, full, iv, from).Sub(p.Part(price, full, iv, to))
			if off := exact.Sub(money.Int(x)); off.Cmp(money.Int(1)) > 0 || off.Cmp(money.Int(-1)) < 0 {
				t.Fatalf("piece %d is %d, exactly %s", i, x, exact)
			}
		}
		if sum != want {
			t.Fatalf("pieces %v sum to %d, want %d", pieces, sum, want)
		}
	})
}

func TestLawShareLeftFallsFromOneToZero(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := rapid.SampledFrom([]Policy{Second, DayActual, Day30}).Draw(t, "policy")
		iv := Interval{rapid.SampledFrom([]Unit{Month, Year}).Draw(t, "unit"), rapid.IntRange(1, 6).Draw(t, "count")}
		anchor := time.Unix(rapid.Int64Range(0, 4e9).Draw(t, "anchor"), 0).UTC()
		full := iv.Containing(anchor, time.Unix(rapid.Int64Range(0, 4e9).Draw(t, "in"), 0))
		last := money.Int(1)
		for at := full.Start; !at.After(full.End); at = at.Add(7 * time.Hour) {
			left := p.Left(full, iv, at)
			if left.Cmp(last) > 0 || left.Sign() < 0 {
				t.Fatalf("at %v of %v: %s after %s", at, full, left, last)
			}
			last = left
		}
		if p.Left(full, iv, full.Start).Cmp(money.Int(1)) != 0 || p.Left(full, iv, full.End).Sign() != 0 {
			t.Fatal("the ends are not 1 and 0")
		}
	})
}

func TestCalendarAnchor(t *testing.T) {
	for _, c := range []struct {
		u    Unit
		want string
	}{{Month, "2026-03-01"}, {Year, "2026-01-01"}, {Week, "2026-03-02"}, {Day, "2026-03-05"}} {
		if got := (Interval{c.u, 1}).CalendarAnchor(date("2026-03-05T10:11:12")); got != date(c.want) {
			t.Errorf("%s: got %v, want %s", c.u, got, c.want)
		}
	}
}

func TestDaylightSavingKeepsTheClock(t *testing.T) {
	paris, err := time.LoadLocation("Europe/Paris")
	if err != nil {
		t.Fatal(err)
	}
	anchor := time.Date(2026, 3, 15, 9, 0, 0, 0, paris)
	full := (Interval{Month, 1}).Containing(anchor, anchor)
	if h := full.End.Hour(); h != 9 {
		t.Errorf("got %d o'clock, want 9", h)
	}
	if d := full.Days(paris); d != 31 {
		t.Errorf("got %d days, want 31", d)
	}
}

func TestTheLastDayOfASpan(t *testing.T) {
	paris, err := time.LoadLocation("Europe/Paris")
	if err != nil {
		t.Fatal(err)
	}
	for name, x := range map[string][3]string{
		"a month":                      {"2026-03-01T00:00", "2026-04-01T00:00", "2026-03-31"},
		"from nine to nine":            {"2026-01-19T09:00", "2026-02-19T09:00", "2026-02-18"},
		"cut at midnight":              {"2026-02-19T09:00", "2026-03-02T00:00", "2026-03-01"},
		"from midnight to nine":        {"2026-03-02T00:00", "2026-03-19T09:00", "2026-03-18"},
		"within a day":                 {"2026-03-02T09:00", "2026-03-02T15:00", "2026-03-02"},
		"over the change of the clock": {"2026-03-29T00:00", "2026-03-30T00:00", "2026-03-29"},
	} {
		at := func(s string) time.Time {
			v, err := time.ParseInLocation("2006-01-02T15:04", s, paris)
			if err != nil {
				t.Fatal(err)
			}
			return v.UTC()
		}
		if got := (Span{at(x[0]), at(x[1])}).Last(paris).Format(time.DateOnly); got != x[2] {
			t.Errorf("%s: got %s, want %s", name, got, x[2])
		}
	}
}
