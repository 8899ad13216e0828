package restapi

import (
	"time"

	"holdfast/server/throttle"
)

const (
	bodyBytesMax = 256 << 10
	eventsMax    = 500 // in one batch
	flushMax     = 3 * time.Second
)

// pace is how often one key, or one person, may ask.
var pace = throttle.Rate{Every: 100 * time.Millisecond, Burst: 600}
