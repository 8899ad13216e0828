package catalog

const (
	maxPlans    = 500
	maxVersions = 200
	maxPrices   = 100
	maxTiers    = 100
	// WhoMax is how many subscribers a change names.
	WhoMax = 20
	// maxScale is how many digits after the point a unit price may have.
	maxScale = 12
)
