package sqlite

import "time"

// BrowserPageBytes is the page size of a database in a browser, where each page written is one costly call.
const BrowserPageBytes = 32 << 10

const (
	// cacheKB is the page cache of a connection when Options say nothing: an edge holds a thousand databases open.
	cacheKB = 512
	// busyTimeoutMS is how long a connection waits for another one's lock.
	busyTimeoutMS = 5000
	// walPages is the size of the log, in pages of 4 KiB, from which a native commit also moves the log into the database.
	walPages = 4000
	// migrationBytesMax bounds one migration file.
	migrationBytesMax = 1 << 20
	// statementsMax is how many prepared statements a browser connection keeps; the longest unused goes first.
	statementsMax = 256
	// statementsMaxNative is the same for a native connection; an edge has a thousand of them.
	statementsMaxNative = 64
	// argBytesMax bounds the arguments of one statement, and each single value, in the browser.
	argBytesMax = 64 << 20
	// nameBytesMax bounds the name of a database in the browser's pool.
	nameBytesMax = 120
	// handoverWait is how long a worker waits for files that another one still holds.
	handoverWait = 3 * time.Second
	// handoverRetry is the time between two attempts.
	handoverRetry = 20 * time.Millisecond
)
