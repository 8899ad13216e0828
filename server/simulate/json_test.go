package simulate

import (
	"bytes"
	"context"
	"encoding/json"
	"strings"
	"testing"
)

// TestJSONHoldsNoFloats reads the report back: every amount is text, so that no reader can lose a cent.
func TestJSONHoldsNoFloats(t *testing.T) {
	var b bytes.Buffer
	if err := Run(context.Background(), strings.NewReader(Example), Options{Out: &b, Format: "json"}); err != nil {
		t.Fatal(text(err))
	}
	d := json.NewDecoder(&b)
	d.UseNumber()
	for {
		tok, err := d.Token()
		if err != nil {
			break
		}
		if n, ok := tok.(json.Number); ok && strings.ContainsAny(n.String(), ".eE") {
			t.Errorf("a fraction as a number: %s", n)
		}
	}
}
