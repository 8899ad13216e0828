package meter

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"holdfast/server/catalog"
	"holdfast/server/money"
	"holdfast/server/period"
	"holdfast/sync/fault"
)

var (
	t0   = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	span = period.Span{Start: t0, End: t0.AddDate(0, 1, 0)}
)

func ev(id string, day int, v string, more ...string) Event {
	at := t0.AddDate(0, 0, day)
	e := Event{Source: "s", ID: id, Type: "x", Time: at, Received: at, Data: map[string]string{"value": v}}
	for i := 0; i+1 < len(more); i += 2 {
		e.Data[more[i]] = more[i+1]
	}
	return e
}

func meter(agg string) *catalog.Meter {
	return &catalog.Meter{ID: "m", Event: "x", Aggregate: agg, Value: "value"}
}

func measure(t *testing.T, m *catalog.Meter, f map[string][]string, s period.Span, events ...Event) string {
	t.Helper()
	var l Log
	for _, e := range events {
		if _, err := l.Add(e); err != nil {
			t.Fatal(err)
		}
	}
	q, err := l.Measure(m, f, s, span)
	if err != nil {
		t.Fatal(err)
	}
	return q.Units.Text(9)
}

func TestBM01_RepeatedEventsCountOnce(t *testing.T) {
	var l Log
	for i, want := range []bool{true, false, false} {
		if got, err := l.Add(ev("a", 1, "5")); err != nil || got != want {
			t.Errorf("time %d: got %v %v, want %v", i, got, err, want)
		}
	}
	other := ev("a", 1, "5")
	other.Source = "another"
	if got, _ := l.Add(other); !got {
		t.Error("the same id from another source is another event")
	}
	if q, _ := l.Measure(meter("sum"), nil, span, span); q.Units.Cmp(money.Int(10)) != 0 {
		t.Errorf("got %s, want 10", q.Units)
	}
}

func TestBM02_Aggregations(t *testing.T) {
	events := []Event{ev("a", 1, "5"), ev("b", 2, "2.5"), ev("c", 3, "5"), ev("late", 31, "100")}
	for agg, want := range map[string]string{"sum": "12.5", "count": "3", "unique": "2", "min": "2.5", "max": "5",
		"average": "4.166666667", "latest": "5"} {
		if got := measure(t, meter(agg), nil, span, events...); got != want {
			t.Errorf("%s: got %s, want %s", agg, got, want)
		}
	}
	// 10 GB from day 0 (reading before the period), 41 GB from day 15.5 of 31.
	mid := ev("b", 15, "41")
	mid.Time = mid.Time.Add(12 * time.Hour)
	mid.Received = mid.Time
	if got := measure(t, meter("weighted"), nil, span, ev("a", -3, "10"), mid); got != "25.5" {
		t.Errorf("weighted: got %s, want 25.5", got)
	}
}

func TestBM03_FiltersAndDimensions(t *testing.T) {
	events := []Event{ev("a", 1, "5", "region", "eu"), ev("b", 2, "7", "region", "us"), ev("c", 2, "11")}
	if got := measure(t, meter("sum"), map[string][]string{"region": {"eu", "ap"}}, span, events...); got != "5" {
		t.Errorf("got %s, want 5", got)
	}
	m := meter("sum")
	m.Filter = map[string][]string{"region": {"us"}}
	if got := measure(t, m, nil, span, events...); got != "7" {
		t.Errorf("got %s, want 7", got)
	}
	m = meter("sum")
	m.From = t0.AddDate(0, 0, 2)
	if got := measure(t, m, nil, span, events...); got != "18" {
		t.Errorf("effective from: got %s, want 18", got)
	}
}

func TestCorrectionReplaces(t *testing.T) {
	fix := ev("a2", 5, "3")
	fix.Replaces = "a"
	if got := measure(t, meter("sum"), nil, span, ev("a", 1, "5"), ev("b", 1, "1"), fix); got != "4" {
		t.Errorf("got %s, want 4", got)
	}
}

func TestRefusedEvents(t *testing.T) {
	future := ev("f", 1, "1")
	future.Time = future.Received.Add(FutureMax + time.Second)
	edge := ev("g", 1, "1")
	edge.Time = edge.Received.Add(FutureMax)
	old := ev("o", 1, "1")
	old.Received = old.Time.Add(AgeMax + time.Second)
	for name, e := range map[string]Event{"future": future, "old": old, "no-id": ev("", 1, "1")} {
		var l Log
		if _, err := l.Add(e); fault.KindOf(err) != fault.Invalid {
			t.Errorf("%s: got %v, want invalid", name, err)
		}
	}
	var l Log
	if ok, err := l.Add(edge); !ok || err != nil {
		t.Errorf("at the limit: got %v %v", ok, err)
	}
	for name, v := range map[string]string{"negative": "-1", "word": "many", "absent": ""} {
		if err := Check(meter("sum"), ev("a", 1, v)); fault.KindOf(err) != fault.Invalid {
			t.Errorf("%s: got %v, want invalid", name, err)
		}
	}
}

func TestLawAnyOrderGivesTheSameUsage(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := meter(rapid.SampledFrom([]string{"sum", "count", "unique", "min", "max", "average", "latest", "weighted"}).Draw(t,
			"aggregate"))
		var events []Event
		for i := range rapid.IntRange(1, 30).Draw(t, "events") {
			e := ev(fmt.Sprintf("e%d", i), rapid.IntRange(-2, 33).Draw(t, "day"), fmt.Sprint(rapid.IntRange(0, 50).Draw(t, "v")))
			if i > 0 && rapid.IntRange(0, 5).Draw(t, "fix") == 0 {
				e.Replaces = fmt.Sprintf("e%d", rapid.IntRange(0, i-1).Draw(t, "of"))
			}
			events = append(events, e, e)
		}
		var a, b Log
		for _, e := range events {
			_, _ = a.Add(e)
		}
		for _, e := range rapid.Permutation(events).Draw(t, "order") {
			_, _ = b.Add(e)
		}
		x, err1 := a.Measure(m, nil, span, span)
		y, err2 := b.Measure(m, nil, span, span)
		if err1 != nil || err2 != nil || x.Units.Cmp(y.Units) != 0 || x.Events != y.Events {
			t.Fatalf("%s: %v %v, then %v %v", m.Aggregate, x, err1, y, err2)
		}
	})
}

func TestLawPartsOfAPeriodAddUp(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := meter(rapid.SampledFrom([]string{"sum", "count", "weighted"}).Draw(t, "aggregate"))
		var l Log
		for i := range rapid.IntRange(0, 20).Draw(t, "events") {
			_, _ = l.Add(ev(fmt.Sprintf("e%d", i), rapid.IntRange(-2, 33).Draw(t, "day"),
				fmt.Sprint(rapid.IntRange(0, 50).Draw(t, "v"))))
		}
		cut := t0.Add(time.Duration(rapid.Int64Range(0, int64(span.End.Sub(t0))).Draw(t, "cut")))
		whole, _ := l.Measure(m, nil, span, span)
		one, _ := l.Measure(m, nil, period.Span{Start: t0, End: cut}, span)
		two, _ := l.Measure(m, nil, period.Span{Start: cut, End: span.End}, span)
		off := whole.Units.Sub(one.Units.Add(two.Units))
		if limit := money.Frac(2, 1_000_000_000); off.Cmp(limit) > 0 || off.Cmp(limit.Neg()) < 0 {
			t.Fatalf("%s + %s is not %s", one.Units, two.Units, whole.Units)
		}
	})
}
