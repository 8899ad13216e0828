package simulate

import (
	"bytes"
	"context"
	"flag"
	"os"
	"strings"
	"testing"
)

var rewrite = flag.Bool("update", false, "rewrite golden files")

func TestExampleAsTableAndJSON(t *testing.T) {
	for _, format := range []string{"table", "json"} {
		var first []byte
		for range 3 { // the same file, byte for byte the same report
			var b bytes.Buffer
			if err := Run(context.Background(), strings.NewReader(Example), Options{Out: &b, Format: format}); err != nil {
				t.Fatal(text(err))
			}
			if first == nil {
				first = b.Bytes()
			}
			if !bytes.Equal(first, b.Bytes()) {
				t.Fatalf("%s: two runs differ", format)
			}
		}
		golden := "testdata/example." + format
		if *rewrite {
			if err := os.MkdirAll("testdata", 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(golden, first, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(golden)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(first, want) {
			t.Errorf("%s is not what %s holds; if it is meant, run go test with -update and read the difference", format, golden)
		}
	}
}

func TestEveryActionIsDocumented(t *testing.T) {
	for _, name := range actionNames() {
		if !strings.Contains(Example, name) {
			t.Errorf("example.yaml does not explain %q", name)
		}
	}
}
