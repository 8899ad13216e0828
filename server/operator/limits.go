package operator

import "time"

const (
	operatorsMax = 100
	linkTTL      = 15 * time.Minute
	codeBytes    = 16
	textMax      = 2000 // bytes of an audit entry's detail
	// EntriesMax is how many audit entries one page holds.
	EntriesMax = 100
)
