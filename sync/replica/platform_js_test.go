//go:build js

package replica_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"holdfast/sync/sqlite"
)

var databases int

// tempDB names a database in the browser's pool that ends with the test, after it was closed.
func tempDB(t testing.TB) string {
	t.Helper()
	pool, err := sqlite.OpenPool(context.Background(), sqlite.PoolConfig{})
	if err != nil {
		t.Fatal(err)
	}
	databases++
	name := fmt.Sprintf("replica%d.db", databases)
	clean := func() {
		names, err := pool.List()
		if err != nil {
			t.Fatal(err)
		}
		for _, n := range names {
			if strings.HasPrefix(n, name) {
				if _, err := pool.Remove(n); err != nil {
					t.Errorf("%s: %v", n, err)
				}
			}
		}
	}
	clean()
	t.Cleanup(clean)
	return name
}
