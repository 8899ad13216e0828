package meter

import "time"

const (
	// FutureMax is how far a clock of whoever reports usage may run ahead.
	FutureMax = 5 * time.Minute
	// AgeMax is how late an event may be heard. Repetitions are recognised for at least as long.
	AgeMax = 62 * 24 * time.Hour
)
