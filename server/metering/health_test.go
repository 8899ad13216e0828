package metering

import (
	"fmt"
	"testing"
)

// Operators see what all workspaces used, and how far each region was read: also one that never answered.
func TestOperatorsSeeTotalsAndLag(t *testing.T) {
	w := newWorld(t)
	w.tell(w.changes(acme, 1, 5), w.changes(globe, 1, 2), w.call(acme, 1), w.size(acme, 100), w.size(globe, 20))
	w.settle()
	list, err := w.Totals(w.ctx, month)
	must(t, err)
	if got := fmt.Sprint(list); got != "[{api-calls calls 3} {changes changes 7} {storage-bytes bytes 120}]" {
		t.Errorf("%s", got)
	}
	w.Follow("away")
	h, err := w.Health(w.ctx)
	must(t, err)
	if len(h) != 2 || h[0].Region != "away" || h[0].Current || !h[0].AsOf.IsZero() || h[1].Region != "eu" || h[1].ReadMS == 0 {
		t.Errorf("%+v", h)
	}
}
