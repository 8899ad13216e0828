package payment

import "time"

const (
	// BodyMax bounds a webhook.
	BodyMax = 64 << 10
	// Tolerance is how old a webhook's signature may be.
	Tolerance = 5 * time.Minute
	// TriesMax is how often one debt may be tried in 30 days; card networks fine more (Visa: 20 since 2025, 15 before).
	TriesMax = 15
)
