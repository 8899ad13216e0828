package node

import "time"

const (
	announceMax   = 3 * time.Second
	announceRetry = 2 * time.Second
	changesHeld   = 1 << 20 // workspaces whose change of record waits to be acted on
)
