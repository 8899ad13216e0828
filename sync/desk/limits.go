package desk

import "time"

const (
	requestsMax = 1024                  // requests waiting for their turn
	statusEvery = 30 * time.Millisecond // changes of the status go out together
)
