package metering

import "sort"

// span is the members lo…hi of a series, both included.
type span struct{ lo, hi uint64 }

// spans are the members of a series that have been counted: sorted, apart from each other by at least one member.
type spans []span

// add marks the members of s as counted and gives how many of them were not before.
func (c *spans) add(s span) (fresh uint64) {
	list := *c
	// The first span that touches s or lies behind it, and the first that lies clearly behind it.
	from := sort.Search(len(list), func(i int) bool { return list[i].hi+1 >= s.lo })
	to := sort.Search(len(list), func(i int) bool { return list[i].lo > s.hi+1 })
	fresh = s.hi - s.lo + 1
	merged := s
	for _, o := range list[from:to] {
		if lo, hi := max(o.lo, s.lo), min(o.hi, s.hi); lo <= hi {
			fresh -= hi - lo + 1
		}
		merged.lo, merged.hi = min(merged.lo, o.lo), max(merged.hi, o.hi)
	}
	*c = append(list[:from:from], append(spans{merged}, list[to:]...)...)
	return fresh
}

// covered is how many members of s are marked already.
func (c spans) covered(s span) (n uint64) {
	for _, o := range c[sort.Search(len(c), func(i int) bool { return c[i].hi >= s.lo }):] {
		if o.lo > s.hi {
			break
		}
		n += min(o.hi, s.hi) - max(o.lo, s.lo) + 1
	}
	return n
}
