// Package throttle slows down whoever asks too often: one token bucket (golang.org/x/time/rate) for each key, such as a
// person or an address.
//
// It is kept in memory and forgets at a restart. At most keysMax keys are remembered; when there are more, those whose
// buckets are full again go first, and if none is, a newcomer is refused: forgetting a busy key would let it start anew.
package throttle

import (
	"net/netip"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// Rate allows Burst at once and then one every Every.
type Rate struct {
	Every time.Duration
	Burst int
}

// Throttle is a bucket for each key. It is safe for concurrent use.
type Throttle struct {
	rate Rate
	mu   sync.Mutex
	keys map[string]*rate.Limiter
}

// New makes a throttle; a Rate with Burst 0 refuses everything.
func New(r Rate) *Throttle { return &Throttle{rate: r, keys: map[string]*rate.Limiter{}} }

// Allow takes one from the key's bucket, or returns false when it is empty.
func (t *Throttle) Allow(key string, now time.Time) bool {
	_, ok := t.Take(key, now)
	return ok
}

// Take is Allow and tells how many are left.
func (t *Throttle) Take(key string, now time.Time) (left int, ok bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	l, ok := t.keys[key]
	if !ok {
		if len(t.keys) >= keysMax && !t.forget(now) {
			return 0, false
		}
		l = rate.NewLimiter(rate.Every(t.rate.Every), t.rate.Burst)
		t.keys[key] = l
	}
	ok = l.AllowN(now, 1)
	return max(0, int(l.TokensAt(now))), ok
}

// forget drops the keys whose buckets are full: for them it makes no difference.
func (t *Throttle) forget(now time.Time) bool {
	for k, l := range t.keys {
		if l.TokensAt(now) >= float64(t.rate.Burst) {
			delete(t.keys, k)
		}
	}
	return len(t.keys) < keysMax
}

// Address is the key of a client's address: an IPv6 client can choose among 2^64 addresses of its network, so all of
// them are one. What is no address is a key as it stands.
func Address(ip string) string {
	a, err := netip.ParseAddr(ip)
	if err != nil {
		return ip
	}
	a = a.Unmap()
	if a.Is4() {
		return a.String()
	}
	p, _ := a.WithZone("").Prefix(ipv6Bits) // cannot fail: 64 bits fit
	return p.String()
}
