package gateway

import "time"

const (
	headerMax      = 5 * time.Second   // for a request's headers to arrive
	bodyMax        = 15 * time.Second  // for its body
	writeMax       = 30 * time.Second  // for an answer; a snapshot: for each piece of it
	idleMax        = 120 * time.Second // of a connection between requests
	headerBytesMax = 16 << 10
	bodyBytesMax   = 256 << 10 // of a request to the hub: a batch of events
	hubMax         = 12 * time.Second
	revisionMax    = 2 * time.Second // for the directory's copy to have what the hub just wrote
	snapshotMax    = 30 * time.Minute
	snapshotMake   = 60 * time.Second

	socketsMax          = 20_000      // WebSocket connections at once
	socketsOfAddressMax = 2_000       // of one address: a large office behind one
	callsOfAddressMax   = 32          // requests to the hub under way
	loadsOfPersonMax    = 4           // snapshots under way
	sentEvery           = time.Second // how often what was sent on WebSockets is counted
	dialMax             = 2 * time.Second

	idleBufferBytes = 512 // of each direction of a WebSocket that says little
	busyBufferBytes = 32 << 10
	pieceBytes      = 64 << 10 // of a snapshot
)
