// Package meter turns usage events into quantities. It is pure: the same set of events gives the same quantity in
// whatever order, and however often, they arrived.
//
// An event is a fact with an id derived from the fact; (Source, ID) names it. The first one heard counts, a repetition
// is ignored, and a correction (Replaces) takes the place of an earlier event of the same source: the correction with
// the greatest id wins, so that order of arrival does not matter.
package meter

import (
	"sort"
	"time"

	"holdfast/server/catalog"
	"holdfast/server/money"
	"holdfast/server/period"
	"holdfast/sync/fault"
)

// Event is one fact to be counted: a CloudEvent as far as billing is concerned.
type Event struct {
	Source   string
	ID       string
	Type     string
	Time     time.Time // when it happened
	Received time.Time // when it was heard
	Replaces string    // id of the event that this one corrects
	Data     map[string]string
}

// Log holds the events of one customer. The zero Log is empty. It is not safe for concurrent use.
type Log struct {
	byType map[string][]Event // by time, then source, then id
	seen   map[[2]string]bool
	fixes  map[[2]string]Event // by what they correct; the one with the greatest id
	series map[string]*series  // by type, meter and filter; made again when an event comes out of order
}

// Add takes an event in and tells whether it was new. An event from the future (FutureMax), one too old to be told from
// a repetition (AgeMax), or one without an id is refused and changes nothing.
func (l *Log) Add(e Event) (bool, error) {
	if err := l.Check(e); err != nil {
		return false, err
	}
	if l.Has(e) {
		return false, nil
	}
	if l.seen == nil {
		l.seen, l.byType = map[[2]string]bool{}, map[string][]Event{}
	}
	l.seen[[2]string{e.Source, e.ID}] = true
	if e.Replaces != "" {
		key := [2]string{e.Source, e.Replaces}
		if was, ok := l.fixes[key]; !ok || e.ID > was.ID {
			if l.fixes == nil {
				l.fixes = map[[2]string]Event{}
			}
			l.fixes[key] = e
		}
		l.series = nil
		return true, nil
	}
	list := l.byType[e.Type]
	i := sort.Search(len(list), func(i int) bool { return before(e, list[i]) })
	if i < len(list) {
		l.series = nil
	}
	list = append(list, Event{})
	copy(list[i+1:], list[i:])
	list[i] = e
	l.byType[e.Type] = list
	return true, nil
}

// Has tells whether the log holds the event already.
func (l *Log) Has(e Event) bool { return l.seen[[2]string{e.Source, e.ID}] }

// Check tells whether Add would refuse the event.
func (l *Log) Check(e Event) error {
	const op = "meter.Add"
	switch {
	case e.ID == "" || e.Type == "":
		return fault.Errorf(op, fault.Invalid, "an event needs an id and a type")
	case e.Time.After(e.Received.Add(FutureMax)):
		return fault.Errorf(op, fault.Invalid, "event %s is from the future: it happened at %s, now is %s", e.ID,
			e.Time.Format(time.RFC3339), e.Received.Format(time.RFC3339))
	case e.Received.Sub(e.Time) > AgeMax:
		return fault.Errorf(op, fault.Invalid, "event %s is older than %d days", e.ID, int(AgeMax.Hours()/24))
	}
	return nil
}

func before(a, b Event) bool {
	if !a.Time.Equal(b.Time) {
		return a.Time.Before(b.Time)
	}
	if a.Source != b.Source {
		return a.Source < b.Source
	}
	return a.ID < b.ID
}

// Quantity is what was used, and in how many events.
type Quantity struct {
	Units  money.Exact
	Events int64
}

// Measure aggregates the events of m that match filter and happened in span. full is the whole billing period of which
// span is a part: a weighted quantity is the average over it, so that the parts of a period add up.
func (l *Log) Measure(m *catalog.Meter, filter map[string][]string, span, full period.Span) (Quantity, error) {
	s := l.seriesOf(m, filter)
	if s.err != nil {
		return Quantity{}, s.err
	}
	from, to := s.place(span.Start), s.place(span.End)
	q := Quantity{Events: int64(max(to-from, 0))}
	switch {
	case m.Aggregate == "weighted" && !full.Empty():
		area := s.areaAt(span.End).Sub(s.areaAt(span.Start))
		q.Units = fine(area.Div(money.Int(int64(full.End.Sub(full.Start)))))
	case m.Aggregate == "count":
		q.Units = money.Int(q.Events)
	case to <= from:
	case m.Aggregate == "unique":
		seen := map[string]bool{}
		for _, e := range s.events[from:to] {
			seen[e.raw] = true
		}
		q.Units = money.Int(int64(len(seen)))
	case m.Aggregate == "latest":
		q.Units = s.events[to-1].value
	case m.Aggregate == "sum", m.Aggregate == "average":
		q.Units = s.events[to-1].sum.Sub(s.sumBefore(from))
		if m.Aggregate == "average" {
			q.Units = fine(q.Units.Div(money.Int(q.Events)))
		}
	default:
		q.Units = s.events[from].value
		for _, e := range s.events[from+1 : to] {
			if m.Aggregate == "max" {
				q.Units = q.Units.Max(e.value)
			} else {
				q.Units = q.Units.Min(e.value)
			}
		}
	}
	return q, nil
}

// Check tells whether m can count e; the door refuses what it cannot.
func Check(m *catalog.Meter, e Event) error {
	if m.Aggregate == "count" {
		return nil
	}
	if e.Data[m.Value] == "" {
		return fault.Errorf("meter.Check", fault.Invalid, "event %s has no %q, which meter %s counts", e.ID, m.Value, m.ID)
	}
	if m.Aggregate == "unique" {
		return nil
	}
	n, err := value(m, e)
	if err == nil && n.Cmp(money.Int(ValueMax)) > 0 {
		err = fault.Errorf("meter.Check", fault.TooLarge, "event %s has a %s above %d; send what was used in parts", e.ID, m.Value, int64(ValueMax))
	}
	return err
}

func value(m *catalog.Meter, e Event) (money.Exact, error) {
	d, err := money.ParseNumber(e.Data[m.Value])
	if err != nil {
		return money.Exact{}, fault.Wrap("meter.value", err)
	}
	if d.IsNeg() {
		return money.Exact{}, fault.Errorf("meter.value", fault.Invalid,
			"event %s has a negative %s: %s; to correct an event, send one that replaces it", e.ID, m.Value, d)
	}
	return money.Number(d), nil
}

func passes(filter map[string][]string, e Event) bool {
	for k, allowed := range filter {
		ok := false
		for _, v := range allowed {
			ok = ok || v == e.Data[k]
		}
		if !ok {
			return false
		}
	}
	return true
}

// fine rounds a quotient to nine digits, so that the quantity on the invoice is the one that was priced.
func fine(e money.Exact) money.Exact {
	var out money.Exact
	if err := out.UnmarshalText([]byte(e.Text(9))); err != nil {
		return e // a decimal text always reads back
	}
	return out
}
