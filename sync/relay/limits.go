package relay

import (
	"time"

	"holdfast/sync/wire"
)

const (
	// CallMax is how long a request waits for its answer.
	CallMax = 10 * time.Second
	// RunningMax is how many requests a server works on at once.
	RunningMax = 64
	bytesMax   = wire.PayloadMax - 1<<10 // of a request or an answer, with its headers
)
