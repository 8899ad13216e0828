package metrics

import "time"

const (
	headerMax  = 5 * time.Second
	idleMax    = 2 * time.Minute
	scrapeMax  = 5 * time.Second
	scrapesMax = 4
)
