package tenant

import "time"

const (
	openMaxDefault = 1000 // files open at once; each costs about 160 KB and three descriptors
	cacheKB        = 512
	folderPerm     = 0o700
	openMax        = 30 * time.Second // for one file, a migration included
)
