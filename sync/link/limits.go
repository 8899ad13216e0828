package link

import "time"

// Bounds of a link's patience.
const (
	pauseMin       = 200 * time.Millisecond // after the first failure
	pauseMax       = 15 * time.Second       // after many
	pauseSignedOut = time.Minute            // somebody must sign in; look now and then whether they did elsewhere
	deniedMax      = 3                      // refusals in a row after which the person is taken to be no member any more
	steadyAfter    = 10 * time.Second       // a session this long was a good one
	connectMax     = 10 * time.Second
	callMax        = 15 * time.Second // one request and its answer
	wakeMax        = 3 * time.Second  // an answer after sleep; no answer: the connection is dead
	pingEvery      = 5 * time.Second
	pingsMissedMax = 2
	pullEvery      = time.Minute // even when nothing seems missing
	beatEvery      = 25 * time.Second
	feedQueue      = 4096  // messages; beyond it some are dropped, which a pull makes good
	presenceQueue  = 16    // the newest counts; a missed one comes again
	feedBatch      = 500   // messages applied in one go
	BootstrapFrom  = 5_000 // entries missing from which on a snapshot is quicker than a pull
)
