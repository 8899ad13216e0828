package hubdb

const (
	cacheKB        = 8 << 10
	connectionsMax = 4 // one writes, the others read meanwhile
)
