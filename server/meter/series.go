package meter

import (
	"sort"
	"strings"
	"time"

	"holdfast/server/catalog"
	"holdfast/server/money"
)

// series is what one meter, through one filter, reads of the events of its type, in the order of time and with running
// sums, so that any stretch of time is measured without adding up again.
type series struct {
	read   int // events of the type that were looked at
	events []reading
	err    error
}

type reading struct {
	at    time.Time
	raw   string
	value money.Exact
	sum   money.Exact // of all values up to this one
	area  money.Exact // of value × nanoseconds up to this moment, each value holding until the next
}

// seriesOf brings the series of m through filter up to date.
func (l *Log) seriesOf(m *catalog.Meter, filter map[string][]string) *series {
	key := m.Event + "\x00" + m.ID + "\x00" + m.Aggregate + filterKey(filter)
	s := l.series[key]
	if s == nil {
		if l.series == nil {
			l.series = map[string]*series{}
		}
		s = &series{}
		l.series[key] = s
	}
	list := l.byType[m.Event]
	for ; s.read < len(list) && s.err == nil; s.read++ {
		if e, ok := l.counts(m, filter, list[s.read]); ok {
			s.add(m, e)
		}
	}
	return s
}

func filterKey(f map[string][]string) string {
	keys := make([]string, 0, len(f))
	for k := range f {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	var b strings.Builder
	for _, k := range keys {
		b.WriteString("\x00" + k + "\x01" + strings.Join(f[k], "\x02"))
	}
	return b.String()
}

// counts gives an event as corrected, and whether m and filter let it through.
func (l *Log) counts(m *catalog.Meter, filter map[string][]string, e Event) (Event, bool) {
	if f, ok := l.fixes[[2]string{e.Source, e.ID}]; ok {
		e.Data = f.Data
	}
	return e, !e.Time.Before(m.From) && passes(m.Filter, e) && passes(filter, e)
}

func (s *series) add(m *catalog.Meter, e Event) {
	r := reading{at: e.Time, raw: e.Data[m.Value]}
	if m.Aggregate != "count" && m.Aggregate != "unique" {
		if r.value, s.err = value(m, e); s.err != nil {
			return
		}
	}
	r.sum = r.value
	if n := len(s.events); n > 0 {
		r.sum = s.events[n-1].sum.Add(r.value)
		r.area = s.events[n-1].areaUntil(r.at)
	}
	s.events = append(s.events, r)
}

func (r reading) areaUntil(t time.Time) money.Exact {
	return r.area.Add(r.value.Mul(money.Int(int64(t.Sub(r.at)))))
}

// place is the index of the first reading that is not before t.
func (s *series) place(t time.Time) int {
	return sort.Search(len(s.events), func(i int) bool { return !s.events[i].at.Before(t) })
}

func (s *series) sumBefore(i int) money.Exact {
	if i == 0 {
		return money.Exact{}
	}
	return s.events[i-1].sum
}

// areaAt is the area up to t. Before the first reading the level is zero.
func (s *series) areaAt(t time.Time) money.Exact {
	i := s.place(t)
	if i == 0 {
		return money.Exact{}
	}
	return s.events[i-1].areaUntil(t)
}
