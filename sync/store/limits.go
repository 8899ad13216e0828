package store

const (
	// readRows and writeRows are how many rows one statement reads or inserts at most: what a call costs is then shared,
	// most of all in the browser, where it crosses from Go to SQLite.
	readRows  = 32
	writeRows = 16
	// absorbRows are taken from another database in one transaction.
	absorbRows = 500
	// historyMax is the most past values of a row that History gives; older ones are left out.
	historyMax = 5000
)
