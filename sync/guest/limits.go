package guest

import "time"

const (
	// memoryPages of 64 KiB are what one module may have: 2 MiB.
	memoryPages = 32
	// RunMax is how long one answer may take. It is counted in ticks, of which a machine that stands still has none: a
	// good rule is not refused because others keep the processor busy.
	RunMax = runTicks * runTick
	// StartMax is how long a module may take to be started.
	StartMax = RunMax
	runTick  = 50 * time.Millisecond
	runTicks = 5
	// wearBytes of memory are what an instance may grow to before it is replaced by a fresh one: rules need not free what they take.
	wearBytes = 1 << 20
)
