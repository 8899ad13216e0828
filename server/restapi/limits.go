package restapi

import (
	"time"

	"holdfast/server/throttle"
)

const (
	bodyBytesMax = 256 << 10
	keyMax       = 255 // characters of an idempotency key
	eventsMax    = 500 // in one batch
	flushMax     = 3 * time.Second
)

// pace is how often one key, or one person, may ask.
var pace = throttle.Rate{Every: 100 * time.Millisecond, Burst: 600}
