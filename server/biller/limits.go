package biller

import "time"

const (
	passEvery     = 2 * time.Second  // how soon a limit that is reached, or a seat that is taken, is felt
	passShare     = 4                // a pass may take one part in so many of the time
	recordEvery   = 10 * time.Minute // how often usage that nobody looks at is handed to the engine
	readMax       = 10 * time.Minute // how long the turn of a month waits for metering to catch up; what is heard later is carried
	lateMonths    = 1                // months before this one whose totals may still grow
	noticesShown  = 20
	runsShown     = 30                   // reconciliations
	leaseShare    = 20                   // usage is published to edges when it has eaten one part in so many of what was left
	usageMax      = 366 * 24 * time.Hour // how much of the past is shown at once
	forecastMax   = 30                   // times what is used so far
	offsetYears   = 3                    // around now, for which the changes of the clock are told to browsers
	testClocksMax = 100
	testAwayMax   = 5 * 365 * 24 * time.Hour // how far from now a test clock may begin
	testStepMax   = 5 * 366 * 24 * time.Hour // how far it moves at a time
	methodMax     = 64                       // characters of a payment method's token
	eventsMax     = 1000                     // of a processor, taken in at once
	unknownFor    = 3 * 24 * time.Hour       // how long an event about an unknown charge is kept
	jobsEvery     = time.Second
	jobsMax       = 100
	jobsAtOnce    = 4
	askFor        = 20 * time.Hour      // how long a charge is asked for under its key, which Stripe keeps for a day
	openFor       = 31 * 24 * time.Hour // how long an undecided charge is looked at
	setupFor      = 25 * time.Hour      // a page for a payment method ends after a day
	lookEvery     = time.Hour
	lookSoon      = 10 * time.Second
	lookPause     = 3 * time.Second // between two looks because somebody waits
	settleMax     = 5 * time.Second
	settleEvery   = 50 * time.Millisecond
)

const (
	registerEvery = 30 * time.Second
	registerAgain = 30 * 24 * time.Hour // how often a known VAT number is asked about
)

// registerSchedule is how long after the register did not answer it is asked again; the last one repeats.
var registerSchedule = []time.Duration{5 * time.Minute, 30 * time.Minute, 2 * time.Hour, 12 * time.Hour, 24 * time.Hour}

// jobSchedule is how long after a failed try a processor elsewhere is asked again; the last one repeats.
var jobSchedule = []time.Duration{2 * time.Second, 10 * time.Second, time.Minute, 5 * time.Minute, 30 * time.Minute, time.Hour}
