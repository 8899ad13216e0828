package store

import "time"

// Bounds of what the page asks for and keeps.
const (
	WindowMax   = 240             // rows of one status asked for at once
	trashMax    = 200             // rows of Trash asked for at once
	patchAge    = 2 * time.Second // how long an answered edit still covers results that may be older than it
	patchesMax  = 500             // edits that wait for their answer; more than that are shown when the answer comes
	findTextMax = 200             // bytes of a search
)
