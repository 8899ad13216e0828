//go:build !js

package replica_test

import (
	"path/filepath"
	"testing"
)

// tempDB names a database that ends with the test.
func tempDB(t testing.TB) string { return filepath.Join(t.TempDir(), "replica.db") }
