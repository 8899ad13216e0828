package webhook

import "time"

const (
	secretBytes    = 32      // the standard asks for 24 to 64
	bodyBytesMax   = 20_000  // of an event, as the standard advises
	answerBytesMax = 1 << 10 // of an answer, read so that the connection ends in order
	headerBytesMax = 8 << 10 // of an answer
	answerMax      = 15 * time.Second
	// URLMax bounds an address.
	URLMax = 500
)

// Schedule is how long after a failed try the next one follows; after the last the event is given up. The standard's example:
// 75 hours, 35 minutes and 5 seconds in all.
var Schedule = []time.Duration{5 * time.Second, 5 * time.Minute, 30 * time.Minute, 2 * time.Hour, 5 * time.Hour, 10 * time.Hour, 14 * time.Hour, 20 * time.Hour, 24 * time.Hour}
