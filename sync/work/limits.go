package work

// Bounds of what people write, in bytes of UTF-8.
const (
	NameBytesMax  = 120
	TitleBytesMax = 1000
	BodyBytesMax  = 64 << 10 // a description or a comment
	RankBytesMax  = 250      // a thousand moves to one and the same place
)

// LengthJumpMax is how far one write may raise a causal length above what the checking node knows: the changes that a
// device makes offline to one label of one task, less those refused.
const LengthJumpMax = 64
