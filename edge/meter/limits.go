package meter

import "time"

const (
	countsEvery  = time.Second // API calls, bytes sent and rules' running of so long are one record a workspace
	spentEvery   = time.Minute // and connected time
	tenantsHeld  = 100_000     // workspaces with counts of one meter in memory
	batchMax     = 2000        // events published before the stream has confirmed the first
	ackMax       = 5 * time.Second
	retryEvery   = time.Second
	lookEvery    = 5 * time.Second // for records that nobody announced
	keepFor      = time.Hour       // records that are in the stream, should it lose its tail: it is synced every two minutes
	tidyEvery    = 10 * time.Minute
	streamAge    = 45 * 24 * time.Hour // longer than the hub remembers single events
	streamBytes  = 4 << 30
	duplicates   = 2 * time.Minute
	storageEvery = 10 * time.Second // how often it is looked whether an hour has begun or a workspace is new
)
