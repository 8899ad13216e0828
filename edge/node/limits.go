package node

import "time"

const (
	hubCallMax    = 15 * time.Second // one request of a browser that the hub answers
	hubBytesMax   = 900 << 10        // of a request with its headers
	announceMax   = 3 * time.Second
	announceRetry = 2 * time.Second
	changesHeld   = 1 << 20 // workspaces whose change of record waits to be acted on
)
