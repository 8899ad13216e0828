package invoice

// MaxLines bounds an invoice; sums of that many bounded amounts fit an int64.
const MaxLines = 2000
