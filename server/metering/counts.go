package metering

// Counts tells whether a meter is one that the regions count themselves.
func Counts(meter string) bool { return units[meter] != "" }
