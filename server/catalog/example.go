package catalog

import _ "embed" // the example is printed by the command and read by a test

// Example is a documented catalogue with one of everything.
//
//go:embed example.yaml
var Example string
