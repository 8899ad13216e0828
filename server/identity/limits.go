package identity

import (
	"time"

	"holdfast/server/throttle"
)

// Bounds. Lengths are in bytes of UTF-8.
const (
	PasskeysMax     = 20
	SessionsMax     = 50 // standing ones of one person; beyond it the one unseen for longest ends
	bodyBytesMax    = 32 << 10
	agentBytesMax   = 120
	ceremonyTTL     = 5 * time.Minute
	ceremoniesMax   = 100_000
	linkTTL         = 10 * time.Minute
	linksMax        = 5 // of one person at a time
	sessionIdleMax  = 30 * 24 * time.Hour
	sessionLifeMax  = 365 * 24 * time.Hour
	sessionsKept    = 30 * 24 * time.Hour // after their end
	keyAgeMax       = 90 * 24 * time.Hour
	keySettle       = 10 * time.Minute // from publishing a new key to signing with it, so that edges know it
	tidyEvery       = time.Hour
	retiredKeysFor  = 2 * sessionLifeMax // an expired token signed with one may still be renewed
	seenGranularity = time.Minute
)

// CookieTTL is how long a browser keeps a session's cookie: as long as the token in it may be renewed.
const CookieTTL = sessionIdleMax

// Rates of one address or one person. Zero values are replaced by these.
type Rates struct {
	Begin  throttle.Rate // dialogues begun by one address
	Finish throttle.Rate // dialogues answered by one address
	Code   throttle.Rate // one-time codes tried by one address
	Person throttle.Rate // what a signed-in person does to their passkeys, sessions and codes
}

func (r Rates) orDefault() Rates {
	set := func(have *throttle.Rate, d throttle.Rate) {
		if *have == (throttle.Rate{}) {
			*have = d
		}
	}
	set(&r.Begin, throttle.Rate{Every: time.Second, Burst: 60})
	set(&r.Finish, throttle.Rate{Every: 2 * time.Second, Burst: 30})
	set(&r.Code, throttle.Rate{Every: 10 * time.Second, Burst: 10})
	set(&r.Person, throttle.Rate{Every: time.Second, Burst: 60})
	return r
}
