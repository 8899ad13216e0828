package hub

import "time"

const (
	regionsMax   = 64
	nameBytesMax = 32
	urlBytesMax  = 256
	requestMax   = 5 * time.Second // for a region's registration
)
