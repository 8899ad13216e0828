//go:build js

package store

import (
	"context"
	"fmt"
	"testing"
	"time"

	"holdfast/sync/sqlite"
)

// prepare starts SQLite in this worker; only the first call does anything.
func prepare(t interface{ Fatal(...any) }) {
	if _, err := sqlite.OpenPool(context.Background(), sqlite.PoolConfig{}); err != nil {
		t.Fatal(err)
	}
}

var benchFiles int

func benchFile(b *testing.B) string {
	prepare(b)
	benchFiles++
	return fmt.Sprintf("bench%d.db", benchFiles)
}

func cpuTime() time.Duration { return 0 }
