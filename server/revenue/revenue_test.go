package revenue

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"holdfast/server/period"
)

func date(s string) time.Time {
	t, err := time.Parse("2006-01-02", s)
	if err != nil {
		panic(err)
	}
	return t
}

func item(from, to, booked string, amount int64) Item {
	return Item{Currency: "USD", Span: period.Span{Start: date(from), End: date(to)}, Booked: date(booked), Amount: amount}
}

func TestBM31_RevenueByMonth(t *testing.T) {
	got := Schedule([]Item{item("2026-01-15", "2026-02-15", "2026-01-15", 3100)}, time.UTC)
	if len(got) != 2 || got[0].Recognised != 1700 || got[0].Deferred != 1400 || got[1].Recognised != 1400 || got[1].Deferred != 0 {
		t.Errorf("a month from the 15th: got %+v", got)
	}
	got = Schedule([]Item{item("2026-01-01", "2027-01-01", "2026-01-01", 36500)}, time.UTC)
	for i, want := range []struct{ earned, change int64 }{{3100, 33400}, {2800, -2800}, {3100, -3100}} {
		if got[i].Recognised != want.earned || got[i].Change != want.change {
			t.Errorf("month %d of a year: got %+v, want %+v", i, got[i], want)
		}
	}
	// usage of January, billed in February, is January's
	got = Schedule([]Item{item("2026-01-01", "2026-02-01", "2026-02-01", 500)}, time.UTC)
	if got[0].Month != "2026-01" || got[0].Recognised != 500 || got[0].Unbilled != 500 || got[0].Deferred != 0 {
		t.Errorf("usage: got %+v", got)
	}
	// a note of 10 March takes back February to April: what is over counts in March
	note := item("2026-02-01", "2026-05-01", "2026-03-10", -8900)
	note.NotUntil = note.Booked
	got = Schedule([]Item{item("2026-02-01", "2026-05-01", "2026-02-01", 8900), note}, time.UTC)
	if got[0].Recognised != 2800 || got[1].Recognised != -2800 || got[2].Recognised != 0 || got[1].Deferred != 0 {
		t.Errorf("a credit note: got %+v", got)
	}
}

// A moment at the turn of a month, billed before it, belongs to the month that begins.
func TestAMomentAtTheTurnOfAMonth(t *testing.T) {
	got := Schedule([]Item{item("2026-01-01", "2026-01-01", "2025-12-31", 100)}, time.UTC)
	if len(got) != 2 || got[0].Deferred != 100 || got[1].Recognised != 100 || got[1].Deferred != 0 {
		t.Errorf("got %+v", got)
	}
}

func TestLawMonthsAddUp(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var items []Item
		var total int64
		for range rapid.IntRange(1, 8).Draw(t, "items") {
			start := date("2026-01-01").Add(time.Duration(rapid.IntRange(0, 20000).Draw(t, "start")) * time.Hour)
			i := Item{Currency: "EUR", Amount: rapid.Int64Range(-1e6, 1e6).Draw(t, "amount"),
				Span:   period.Span{Start: start, End: start.Add(time.Duration(rapid.IntRange(0, 9000).Draw(t, "hours")) * time.Hour)},
				Booked: start.Add(time.Duration(rapid.IntRange(-500, 2000).Draw(t, "booked")) * time.Hour)}
			if i.Amount < 0 {
				i.NotUntil = i.Booked
			}
			items, total = append(items, i), total+i.Amount
		}
		var sum int64
		months := Schedule(items, time.UTC)
		for _, m := range months {
			sum += m.Recognised
		}
		if last := months[len(months)-1]; sum != total || last.Deferred != 0 || last.Unbilled != 0 {
			t.Fatalf("%d recognised of %d; at the end %+v", sum, total, last)
		}
	})
}
