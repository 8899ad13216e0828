package simulate

import "time"

const (
	// MaxEvents bounds the list of events, repeated usage included.
	MaxEvents = 1_000_000
	// MaxSpan bounds the time that is simulated.
	MaxSpan = 50 * 366 * 24 * time.Hour
)
