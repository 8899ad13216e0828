package tenant

import "time"

const (
	openMaxDefault = 1000 // files open at once; each costs about 160 KB and three descriptors
	cacheKB        = 512
	groupMax       = 64   // pushes in one commit
	groupTxsMax    = 1000 // transactions in it, unless one push has more
	commitMax      = 30 * time.Second
	folderPerm     = 0o700
	openMax        = 30 * time.Second // for one file, a migration included
)
