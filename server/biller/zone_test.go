package biller

import (
	"testing"
	"time"
)

func TestOffsetsOfAZone(t *testing.T) {
	now := day(11, 10)
	if got := offsets(time.UTC, now); len(got) != 1 || got[0].AheadMS != 0 {
		t.Errorf("UTC: %v", got)
	}
	paris, err := time.LoadLocation("Europe/Paris")
	must(t, err)
	list := offsets(paris, now)
	if len(list) < 2*offsetYears*2-1 {
		t.Fatalf("%d changes of the clock in %d years", len(list)-1, 2*offsetYears)
	}
	for _, at := range []time.Time{now, time.Date(2027, 3, 28, 0, 59, 59, 0, time.UTC), time.Date(2027, 3, 28, 1, 0, 0, 0, time.UTC), now.AddDate(1, 0, 0)} {
		ahead := int64(0)
		for _, o := range list {
			if o.FromMS <= at.UnixMilli() {
				ahead = o.AheadMS
			}
		}
		if _, want := at.In(paris).Zone(); ahead != int64(want)*1000 {
			t.Errorf("%v: %d ms ahead, want %d s", at, ahead, want)
		}
	}
}
