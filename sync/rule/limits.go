package rule

const (
	// ModuleBytesMax is the size of a rule's module. In Base64 it fits into a request to the hub and into a directory record; modules of
	// languages without a runtime of their own take a few kilobytes.
	ModuleBytesMax = 128 << 10
	// RulesMax is how many rules a workspace may have.
	RulesMax = 10
	// NameBytesMax is the length of a rule's name.
	NameBytesMax = 60
	// AnswerBytesMax is the length of the sentence with which a rule refuses.
	AnswerBytesMax = 300
)
