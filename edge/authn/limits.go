package authn

import "time"

const (
	connsMax       = 20_000 // browsers at one edge
	connsPersonMax = 64     // of one person in one workspace
	sweepEvery     = time.Minute
	sweepGrace     = time.Minute // after a session's end, for the server to have closed its connection
)
