package api

import (
	"time"

	"holdfast/server/throttle"
)

const (
	bodyBytesMax    = 192 << 10       // a rule's module in Base64, and a little
	flushMax        = 3 * time.Second // for the directory; then the answer goes out, and the records follow by themselves
	codeBytesMax    = 64
	hookBytesMax    = 256 << 10 // of a webhook of the payment processor
	deliveriesShown = 50        // of a webhook
)

// codeRate is how often one address may look at or accept invitations.
var codeRate = throttle.Rate{Every: 2 * time.Second, Burst: 30}
