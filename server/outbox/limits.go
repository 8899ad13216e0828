package outbox

import "time"

const (
	lookEvery     = time.Second
	lanesMax      = 8 // addresses that are served at once
	keptFor       = 90 * 24 * time.Hour
	forgetEvery   = time.Hour
	endpointsMax  = 10 // of one owner
	eventsMax     = 50 // kinds that one endpoint names
	kindMax       = 64
	noteMax       = 100
	secretOverlap = 24 * time.Hour // how long a replaced secret goes on signing
	replayMax     = 1000           // events in one replay
	// PageMax bounds a list of deliveries.
	PageMax = 100
)

// mailSchedule is how long after a failed try the next one follows: in all two and a half days.
var mailSchedule = []time.Duration{time.Minute, 5 * time.Minute, 30 * time.Minute, 2 * time.Hour, 6 * time.Hour, 12 * time.Hour, 18 * time.Hour, 24 * time.Hour}
