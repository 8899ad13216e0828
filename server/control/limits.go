package control

import "time"

const (
	// CallMax is how long a command waits for an answer: a test clock may have a year to go through.
	CallMax      = 2 * time.Minute
	headerMax    = 5 * time.Second
	bodyBytesMax = 1 << 20
	// AnswerBytesMax is how much of an answer a command reads.
	AnswerBytesMax = 64 << 20
	pathBytesMax   = 103 // of a socket's path: the least that systems allow
)
