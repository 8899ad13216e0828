package node

import "time"

const (
	announceMax   = 3 * time.Second
	announceRetry = 2 * time.Second
	startRoom     = 16 << 20 // bytes that must be free for a failed start not to be the disk's fault
	changesHeld   = 1 << 20  // workspaces whose change of record waits to be acted on
)
