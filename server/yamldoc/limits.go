package yamldoc

const (
	// MaxBytes bounds a file.
	MaxBytes = 16 << 20
	// MaxProblems is how many problems one error lists.
	MaxProblems = 25
	// MaxText bounds a single value.
	MaxText = 2000
)
