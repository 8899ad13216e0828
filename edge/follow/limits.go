package follow

import "time"

const (
	heartbeat    = time.Second     // a reader that misses two is broken
	attachMin    = 2 * time.Second // for the answers while attaching
	attachMax    = 15 * time.Second
	retryMin     = 200 * time.Millisecond // between attempts; little, because a healed link must not wait
	retryJitter  = 100 * time.Millisecond
	pullMessages = 2000
	pullBytes    = 8 << 20
	pullExpiry   = 30 * time.Second
	batchMax     = 1000             // messages handed over at once
	inactiveMax  = 30 * time.Second // after which the far server forgets a reader
)
