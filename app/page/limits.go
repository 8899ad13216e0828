package page

import "time"

// Bounds of what the page shows and waits for.
const (
	toastsMax   = 3               // older ones make room
	toastFor    = 7 * time.Second // a toast with an action stays as long as one without: reading comes first
	overscan    = 320             // pixels of rows drawn above and below what is seen
	ahead       = 70              // rows loaded above and below what is drawn
	optionsMax  = 200             // options a picker draws; typing finds the others
	retryMe     = 20 * time.Second
	signOutWait = 5 * time.Second
	historyTail = 60 // entries of a task's history drawn at first
)
