package export

import "testing"

func TestFormulasAreDisarmed(t *testing.T) {
	for in, want := range map[string]string{"=1+1": "'=1+1", "+cmd|' /C calc'!A0": "'+cmd|' /C calc'!A0",
		"@SUM(A1)": "'@SUM(A1)", "-5.00": "-5.00", "-a": "'-a", "Acme": "Acme", "": ""} {
		if got := safe(in); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}
