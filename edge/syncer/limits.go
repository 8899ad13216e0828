package syncer

import "time"

const (
	callsMax       = 4096 // under way at one edge; more are asked to come again
	callsTenantMax = 256  // of one workspace
	callsConnMax   = 8    // of one connection
	callMax        = 10 * time.Second
	pendingMax     = 16 << 10 // calls that wait to be looked at
	pendingBytes   = 256 << 20
	feedBytesMax   = 512 << 10 // entries in one feed message, before compression

	refusalsSecond = 20 // logged; the rest is counted
	refusalsBurst  = 500

	announceEvery = 30 * time.Second      // even when nobody moved
	announceAfter = 50 * time.Millisecond // movements within it are told together
	awayAfter     = 80 * time.Second      // three missed beats, or announcements of another region
	expireEvery   = 5 * time.Second
	tenantsHere   = 20_000 // workspaces with somebody present
)
