package naming

import (
	"strings"
	"testing"

	"holdfast/sync/fault"
)

func TestClean(t *testing.T) {
	for _, c := range []struct {
		name, in, want string
		kind           fault.Kind
	}{
		{"plain", "Ana", "Ana", 0},
		{"trimmed", " \tAna \n", "Ana", 0},
		{"any-script", "山田 太郎 👩‍💻", "山田 太郎 👩‍💻", 0},
		{"right-to-left-script", "دانا", "دانا", 0},
		{"blank", " \t", "", fault.Invalid},
		{"control", "a\x00b", "", fault.Invalid},
		{"two-lines", "a\nb", "", fault.Invalid},
		{"line-separator", "a\u2028b", "", fault.Invalid},
		{"not-utf8", "\xff", "", fault.Invalid},
		{"turned-around", "ana\u202egpj.exe", "", fault.Invalid},
		{"at-the-limit", strings.Repeat("n", BytesMax), strings.Repeat("n", BytesMax), 0},
		{"too-long", strings.Repeat("n", BytesMax+1), "", fault.TooLarge},
	} {
		got, err := Clean("x", "yourself", c.in)
		if got != c.want || (err == nil) != (c.want != "") || err != nil && (fault.KindOf(err) != c.kind || !strings.HasSuffix(fault.DetailOf(err), ".")) {
			t.Errorf("%s: got %q, %v", c.name, got, err)
		}
	}
}
