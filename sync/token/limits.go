package token

import (
	"time"

	"holdfast/sync/work"
)

// TTL is how long a token is good for. It is also how long the directory keeps a revocation.
const TTL = 24 * time.Hour

const (
	bytesMax     = 2 << 10 // a cookie of a browser holds at most 4 KiB
	nameBytesMax = work.NameBytesMax
	kidBytes     = 8
	skewMax      = time.Minute // by which an edge's clock may be behind the hub's
)
