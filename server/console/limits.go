package console

import "time"

const (
	formBytesMax  = 60 << 10 // a catalogue in a form is the largest; the gateway passes on 64 KiB
	rowsMax       = 50       // of a list on one page
	recentMax     = 12       // rows of what happened last, where the rest is one click away
	everyMax      = 200      // rows of each list of a customer, when more is asked for: an answer of the hub fits into one message
	monthsShown   = 12       // of revenue
	journalRows   = 1_500    // of one file of the journal: an answer of the hub fits into one message
	noteMax       = 300      // characters of a reason
	searchMax     = 100
	lagAlarm      = 2 * time.Minute // a region whose usage was not read for so long is shown as an alarm
	onceBytes     = 16
	rememberedMax = time.Minute // how long figures over all customers are kept
)
