package meter

import "time"

const (
	// FutureMax is how far a clock of whoever reports usage may run ahead.
	FutureMax = 5 * time.Minute
	// AgeMax is how late an event may be heard. Repetitions are recognised for at least as long.
	AgeMax = 62 * 24 * time.Hour
	// ValueMax is the largest value of one event: what is far beyond it is a mistake, and would stop the bill that it is on.
	ValueMax = 1_000_000_000_000_000
)
