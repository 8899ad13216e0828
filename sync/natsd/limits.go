package natsd

import "time"

// Bounds of a node's server.
const (
	pendingBytesMax   = 32 << 20 // waiting for one slow connection before it is dropped
	readyMax          = 10 * time.Second
	authMax           = 2 * time.Second
	pingEvery         = 5 * time.Second // half-open links are noticed after pingsMissedMax of these
	pingsMissedMax    = 2
	leafReconnect     = 250 * time.Millisecond
	leafDialMax       = 1500 * time.Millisecond // a second SYN goes out after one second; a dial that began in a cut must not outlast it
	linkPoll          = 100 * time.Millisecond
	beatEvery         = 500 * time.Millisecond
	silentLooksMax    = 25               // looks at linkPoll each, five beats missed: the link is broken although it stands
	linkMissingMax    = 30 * time.Second // without a leaf link for so long, its dialer is started anew
	storeBytesDefault = 64 << 30
	kickEventsMax     = 64 << 10
	restartPause      = 10 * time.Second // between restarts of the streams
	restartRoom       = 16 << 20         // bytes that must be free
	linesSecond       = 50               // warnings of the message server
	linesBurst        = 1000
	proxyChunkBytes   = 64 << 10
	proxyChunksMax    = 1024 // under way in one direction of a delayed link
	proxyDialMax      = 2 * time.Second
)
