package problem

const (
	retryLimitS = "60"
	retryAwayS  = "5"
)
