package replica

import "time"

const (
	// doneMax is how many of the newest edits are remembered by their key. A page repeats an edit only while it waits for
	// the answer, so this is plenty.
	doneMax = 2000
	// windowMax is the most tasks of one window.
	windowMax = 500
	// windowDefault is the size of a window when the query does not say.
	windowDefault = 100
	// touchedMax is the number of changed rows from which on every watch is looked at again: finding out which ones would
	// cost more.
	touchedMax = 2000
	// offsetMinMS is the smallest deviation of the device's clock that is corrected and shown.
	offsetMinMS = 1000
	// restoredFrom is the first number of restored refusals: beyond any that is pushed, and exact in JavaScript.
	restoredFrom = 1 << 52
	// mirrorQueue is how many operations may wait for the mirror before a change waits for it.
	mirrorQueue = 1024
	// mirrorRetry is how often what the mirror did not take is tried again.
	mirrorRetry = 5 * time.Second
	// textMax bounds the text of a filter, in bytes.
	textMax = 200
)
