package metering

import "time"

const (
	batchMax      = 2000 // events in one transaction
	batchWait     = 10 * time.Millisecond
	aheadMax      = 2 * batchMax // events asked for ahead of reading them
	requestMax    = 3 * time.Second
	heartbeat     = time.Second
	expiry        = 10 * time.Second
	retryMin      = 100 * time.Millisecond
	retryMax      = 2 * time.Second
	inactiveMax   = 30 * time.Second // after which a region drops our consumer by itself
	futureMax     = time.Hour        // by which an edge's clock may be ahead
	quantityMax   = 1 << 50          // of one event; a batch of the largest fits into an int64
	seenFor       = 62 * 24 * time.Hour
	tidyEvery     = time.Hour
	cacheKB       = 16 << 10
	connections   = 3
	asideBytesMax = 4 << 10 // of an event that is set aside
	asideRowsMax  = 10_000  // of one region; beyond it only their number is kept
)
