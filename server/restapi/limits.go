package restapi

import "time"

const (
	bodyBytesMax = 256 << 10
	keyMax       = 255 // characters of an idempotency key
	eventsMax    = 500 // in one batch
	flushMax     = 3 * time.Second
)
