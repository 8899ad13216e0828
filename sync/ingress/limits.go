package ingress

import "holdfast/sync/wire"

const (
	// pullBytesMax bounds the entries of one pull's answer.
	pullBytesMax = wire.PullBytesMax
	// pullEntriesMax bounds their number.
	pullEntriesMax = 10_000
	// trimEntriesMax of an origin are taken out of the log in one transaction.
	trimEntriesMax = 5_000
	// tracesMax is of how many of an origin's trimmed entries it is known what they said, while a region has not seen them.
	tracesMax = 1 << 20
	// clampAheadMS is how far a stamp may be ahead of this edge's clock.
	clampAheadMS = 60_000
	// numMax is the greatest number of a replica's change; it fits SQLite's integers.
	numMax = 1 << 62
	// snapshotCacheKB is the page cache of the connection that writes a snapshot, KiB.
	snapshotCacheKB = 16 << 10
)
