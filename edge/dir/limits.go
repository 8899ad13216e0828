package dir

import "time"

const (
	recordMax     = 1 << 20
	completeAfter = 24 * time.Hour // a copy older than this is compared with the whole bucket: it may have missed a removal
	tidyEvery     = time.Hour      // revocations whose tokens have expired are forgotten
)
