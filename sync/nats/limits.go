package nats

// Bounds of what is taken from a server.
const (
	lineBytesMax    = 32 << 10 // a control line; INFO is the longest
	messageBytesMax = 64 << 20 // the largest that a server can be configured to send; it says what it is
	waitingMax      = 4096     // requests without an answer
)
