package snapshot

import "time"

const (
	freshFor   = 2 * time.Minute // what came since is pulled
	sweepEvery = time.Minute
	makersMax  = 2 // snapshots written at once
	folderPerm = 0o700
)
