package simulate

import _ "embed" // the example is printed by the command and played by a test

// Example is a documented simulation that uses every part of the format.
//
//go:embed example.yaml
var Example string
