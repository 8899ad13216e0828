package directory

import "time"

const (
	batchMax    = 200             // records read from the database at once
	recordMax   = 900 << 10       // bytes of one record: a message holds 1 MiB
	putMax      = 5 * time.Second // for one write to the bucket
	retryMin    = 100 * time.Millisecond
	retryMax    = 5 * time.Second
	tidyEvery   = time.Minute    // how often expired records are looked for
	markerTTL   = 48 * time.Hour // how long the bucket remembers that a key was removed
	bucketBytes = 8 << 30
)
