package wasmcheck

import (
	"flag"
	"os"
	"testing"
)

var failing bool

func TestMain(m *testing.M) {
	flag.BoolVar(&failing, "failing", false, "let TestFails fail")
	flag.Parse()
	os.Exit(m.Run())
}
