package biller

import "time"

// Offset is by how much the catalogue's clock is ahead of UTC, from a moment on (unix milliseconds). Browsers show days with it: they have no
// table of time zones.
type Offset struct {
	FromMS  int64 `json:"fromMS"`
	AheadMS int64 `json:"aheadMS"`
}

// offsets are those of a zone around a moment, the earliest first. The first one holds for all time before, the last one for all after.
func offsets(zone *time.Location, now time.Time) []Offset {
	var out []Offset
	for t := now.AddDate(-offsetYears, 0, 0).In(zone); ; {
		_, ahead := t.Zone()
		out = append(out, Offset{t.UnixMilli(), int64(ahead) * 1000})
		_, next := t.ZoneBounds()
		if next.IsZero() || next.After(now.AddDate(offsetYears, 0, 0)) {
			return out
		}
		t = next
	}
}
