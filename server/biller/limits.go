package biller

import "time"

const (
	passEvery     = 2 * time.Second  // how soon a limit that is reached, or a seat that is taken, is felt
	passShare     = 4                // a pass may take one part in so many of the time
	recordEvery   = 10 * time.Minute // how often usage that nobody looks at is handed to the engine
	readMax       = 10 * time.Minute // how long the turn of a month waits for metering to catch up; what is heard later is carried
	lateMonths    = 1                // months before this one whose totals may still grow
	noticesShown  = 20
	runsShown     = 30 // reconciliations
	leaseShare    = 20 // usage is published to edges when it has eaten one part in so many of what was left
	testClocksMax = 100
	testAwayMax   = 5 * 365 * 24 * time.Hour // how far from now a test clock may begin
	testStepMax   = 5 * 366 * 24 * time.Hour // how far it moves at a time
	methodMax     = 64                       // characters of a payment method's token
)
