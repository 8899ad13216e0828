package rules

import "time"

const (
	loadedMax = 500             // rules with an instance; each has at most 2 MiB of memory, most have 64 KiB
	restMin   = 2 * time.Second // how long a rule that failed to answer in time is not asked again; it doubles each time
	restMax   = time.Minute     //
	share     = 5               // a workspace's rules may run one part in so many of the time, on average
	saved     = time.Second     // of running that a workspace may do at once
	changeMax = time.Second     // of running for one change, with all its rows; with the share it bounds how long a workspace's queue is held up
	heldMax   = 100_000         // workspaces whose running is remembered
)
