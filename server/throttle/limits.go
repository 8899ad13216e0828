package throttle

const (
	keysMax  = 100_000
	ipv6Bits = 64 // the smallest network that is given to a customer
)
