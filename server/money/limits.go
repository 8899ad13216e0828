package money

// MaxMinor bounds a single amount: ten trillion euro. Two thousand such amounts still fit an int64, so a document may
// be summed without looking at each carry.
const MaxMinor int64 = 1_000_000_000_000_000
