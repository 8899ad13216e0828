package biller

import (
	"testing"
	"time"

	"holdfast/server/money"
	"holdfast/server/period"
)

func TestForecast(t *testing.T) {
	from := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	full := period.Span{Start: from, End: from.AddDate(0, 0, 30)}
	for after, want := range map[time.Duration]int64{0: 3000, time.Second: 3000, 24 * time.Hour: 3000, 48 * time.Hour: 1500, 15 * 24 * time.Hour: 200, 30 * 24 * time.Hour: 100} {
		if got := forecast(money.Int(100), full, from.Add(after)); got != want {
			t.Errorf("after %v: %d, want %d", after, got, want)
		}
	}
}
