package work

// Bounds of what people write, in bytes of UTF-8.
const (
	NameBytesMax  = 120
	TitleBytesMax = 1000
	BodyBytesMax  = 64 << 10 // a description or a comment
	RankBytesMax  = 120
)
