// Package hlc stamps changes with a hybrid logical clock: Kulkarni et al., "Logical Physical Clocks" (2014).
//
// A Stamp is physical time when clocks behave, and never runs backwards when they do not. Stamps are totally ordered;
// the replica in the low bits breaks ties, so two different changes never carry one stamp.
package hlc

import (
	"bytes"
	"encoding/binary"
	"sync"
	"time"

	"holdfast/sync/fault"
	"holdfast/sync/id"
)

// Stamp is 48 bits of Unix milliseconds, 16 bits of counter, 64 bits of replica, big endian: byte order is time order.
// The zero Stamp is before all others and means "never".
type Stamp [16]byte

const msMax = 1<<48 - 1

// Make puts a stamp together. ms outside 0..2^48-1 is cut to that range.
func Make(ms int64, counter uint16, replica uint64) (s Stamp) {
	ms = min(max(ms, 0), msMax)
	binary.BigEndian.PutUint64(s[:8], uint64(ms)<<16|uint64(counter))
	binary.BigEndian.PutUint64(s[8:], replica)
	return s
}

// MS is the stamp's time in Unix milliseconds.
func (s Stamp) MS() int64 { return int64(binary.BigEndian.Uint64(s[:8]) >> 16) }

// Counter orders stamps of one millisecond.
func (s Stamp) Counter() uint16 { return binary.BigEndian.Uint16(s[6:8]) }

// Replica is who made the stamp.
func (s Stamp) Replica() uint64 { return binary.BigEndian.Uint64(s[8:]) }

// Time is MS as a time.
func (s Stamp) Time() time.Time { return time.UnixMilli(s.MS()) }

// IsZero tells whether s is "never".
func (s Stamp) IsZero() bool { return s == Stamp{} }

// Compare is -1, 0 or 1 as s is before, equal to or after t.
func (s Stamp) Compare(t Stamp) int { return bytes.Compare(s[:], t[:]) }

// Before tells whether s is before t.
func (s Stamp) Before(t Stamp) bool { return s.Compare(t) < 0 }

// String is 26 base32 digits that sort as the stamps do.
func (s Stamp) String() string { return id.Text(s) }

// Parse reads String's form.
func Parse(text string) (Stamp, error) {
	b, err := id.ParseText(text)
	if err != nil {
		return Stamp{}, fault.E("hlc.Parse", fault.Invalid, err)
	}
	return b, nil
}

// Next is the smallest stamp of the same replica that is after s.
func (s Stamp) Next() Stamp {
	t := binary.BigEndian.Uint64(s[:8]) + 1 // the counter's overflow carries into the milliseconds
	n := s
	binary.BigEndian.PutUint64(n[:8], t)
	return n
}

// Clock makes the stamps of one replica. It is safe for concurrent use.
type Clock struct {
	mu      sync.Mutex
	now     func() time.Time
	replica uint64
	offset  time.Duration // what the edge said this device's clock is off by
	last    Stamp
}

// NewClock makes a clock for a replica that starts after last (the newest stamp it stored before).
func NewClock(replica uint64, now func() time.Time, last Stamp) *Clock {
	return &Clock{now: now, replica: replica, last: last}
}

// Now gives a stamp after every stamp given or observed before.
func (c *Clock) Now() Stamp {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := Make(c.now().Add(c.offset).UnixMilli(), 0, c.replica)
	if n := Make(c.last.MS(), c.last.Counter(), c.replica); !n.Before(s) {
		s = n.Next()
	}
	c.last = s
	return s
}

// Observe makes later stamps come after s.
func (c *Clock) Observe(s Stamp) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.last.Before(s) {
		c.last = s
	}
}

// Correct adds d to the device's clock from now on: the edge measured that it runs behind by d (negative: ahead).
func (c *Clock) Correct(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.offset = d
}

// Clamp keeps s when it is not later than limit; otherwise it gives the same replica's stamp at limit, or just after
// floor when that is later, so that a replica whose clock is ahead keeps the order of its own changes.
func Clamp(s Stamp, limit time.Time, floor Stamp) Stamp {
	if s.MS() <= limit.UnixMilli() {
		return s
	}
	c := Make(limit.UnixMilli(), 0, s.Replica())
	if !floor.Before(c) {
		c = Make(floor.MS(), floor.Counter(), s.Replica()).Next()
	}
	return c
}
