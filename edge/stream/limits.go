package stream

import "time"

const (
	opsAge        = 14 * 24 * time.Hour // a region away for longer fetches from the files
	opsBytes      = 1 << 30             // of one shard
	opsDuplicates = time.Minute

	publishBatch  = 1 << 20 // bytes read from a log at once
	publishAckMax = 5 * time.Second
	publishRetry  = time.Second
	reReadBatch   = 500  // messages read back from the own stream at once
	queueMax      = 2000 // entries kept in memory for the publisher, for one workspace; more are read from its log
	inFlightMax   = 4096 // messages published and not confirmed, all shards

	flushEvery   = 250 * time.Millisecond // of node.db
	flushRetry   = 2 * time.Second
	settleEvery  = 10 * time.Second
	settleAfter  = 10 * time.Second // without a commit
	ackEvery     = 150 * time.Millisecond
	askMax       = 3 * time.Second // for one answer of another region
	fetchBytes   = 700 << 10       // entries in one answer, before compression
	headsPage    = 10_000          // workspaces in one answer
	appliedMax   = 500             // workspaces in one report
	ackRetry     = time.Second
	compareAfter = 2 * time.Second // what is on its way has arrived by then
	compareRetry = time.Second
	compareEvery = 10 * time.Minute
	upAfter      = 150 * time.Millisecond // the hub knows by then who listens
	callsMax     = 64                     // requests of other regions under way
	lameMax      = 100                    // tried at once
	lameEvery    = 2 * time.Second        // between attempts with a workspace that could not be merged into
	recoverMax   = 30 * time.Second

	logAge       = 30 * 24 * time.Hour // a device away for longer starts from a snapshot
	logBytes     = 64 << 20            // of one origin's log in one workspace
	logHoldAge   = 90 * 24 * time.Hour // a region away for longer takes another's rows as a whole
	logHoldBytes = 256 << 20
	trimEvery    = 10 * time.Minute

	folderPerm   = 0o700
	tagMax       = 64
	copyBytes    = 700 << 10 // of a workspace's rows in one answer, before compression
	copyMakeMax  = time.Minute
	copyIdle     = time.Minute // without a request, a copy that was begun is forgotten
	copiesMax    = 16          // under way
	copyTriesMax = 3           // from the beginning
	adoptMax     = 30 * time.Minute
	adoptsMax    = 2 // at once
)
