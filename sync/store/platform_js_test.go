//go:build js

package store

import (
	"context"

	"holdfast/sync/sqlite"
)

// prepare starts SQLite in this worker; only the first call does anything.
func prepare(t interface{ Fatal(...any) }) {
	if _, err := sqlite.OpenPool(context.Background(), sqlite.PoolConfig{}); err != nil {
		t.Fatal(err)
	}
}
