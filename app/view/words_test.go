package view

import (
	"strings"
	"testing"
	"time"

	"holdfast/sync/fault"
)

var now = time.Date(2026, 11, 23, 15, 0, 0, 0, time.UTC)

func TestDue(t *testing.T) {
	for date, want := range map[string][2]string{
		"2026-11-23": {"Today", "soon"}, "2026-11-24": {"Tomorrow", "soon"}, "2026-11-22": {"Yesterday", "late"},
		"2026-11-27": {"Fri", ""}, "2026-11-01": {"1 Nov", "late"}, "2026-12-24": {"24 Dec", ""}, "2027-01-02": {"2 Jan 2027", ""}, "x": {"", ""},
	} {
		if text, tone := Due(date, now); text != want[0] || tone != want[1] {
			t.Errorf("Due(%s) = %q, %q; want %q", date, text, tone, want)
		}
	}
}

func TestAgo(t *testing.T) {
	for before, want := range map[time.Duration]string{
		-time.Second: "just now", 30 * time.Second: "just now", 5 * time.Minute: "5 min ago", 3 * time.Hour: "3 h ago",
		49 * time.Hour: "Sat 14:00", 20 * 24 * time.Hour: "3 Nov", 400 * 24 * time.Hour: "19 Oct 2025",
	} {
		if got := Ago(now.Add(-before).UnixMilli(), now); got != want {
			t.Errorf("Ago(%s) = %q, want %q", before, got, want)
		}
	}
}

func TestNumbers(t *testing.T) {
	for n, want := range map[int64]string{0: "0", 999: "999", 1000: "1,000", -1234567: "-1,234,567", 100000: "100,000"} {
		if got := Number(n); got != want {
			t.Errorf("Number(%d) = %q, want %q", n, got, want)
		}
	}
	for n, want := range map[int64]string{0: "0 bytes", 999: "999 bytes", 1000: "1.0 KB", 123456: "123 KB", 2_500_000_000: "2.5 GB"} {
		if got := Bytes(n); got != want {
			t.Errorf("Bytes(%d) = %q, want %q", n, got, want)
		}
	}
}

func TestInitials(t *testing.T) {
	for name, want := range map[string]string{"Ana": "A", "Bo de Vries": "BV", "": "?", "Élodie Šimek": "ÉŠ"} {
		if got := Initials(name); got != want {
			t.Errorf("Initials(%q) = %q, want %q", name, got, want)
		}
	}
}

// Every fault has a sentence that ends, and says what to do rather than only that something failed.
func TestEveryFaultHasASentence(t *testing.T) {
	seen := map[string]fault.Kind{}
	for k := fault.Other; k.Known(); k++ {
		s := Sentence(k, "")
		if !strings.HasSuffix(s, ".") || len(s) < 20 {
			t.Errorf("%s: %q is not a sentence", k, s)
		}
		if twin, ok := seen[s]; ok && !(k == fault.Behind && twin == fault.Unavailable) {
			t.Errorf("%s and %s read the same", k, twin)
		}
		seen[s] = k
	}
	if got := Sentence(fault.Invalid, "a title may not be blank"); got != "A title may not be blank. Change it and try again." {
		t.Errorf("with a detail: %q", got)
	}
}
