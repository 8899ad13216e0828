package view

import (
	"strings"
	"testing"

	"holdfast/sync/id"
	"holdfast/sync/port"
	"holdfast/sync/work"
)

// What people wrote is text, wherever it stands in a row.
func TestRowsEscapeWhatPeopleWrote(t *testing.T) {
	const evil = `"'><b onclick=x>&amp;` + "\x1e\x1f"
	r := Row{ID: id.Derive("t"), Href: "/w/x/t/y?a=1&b=2", Title: evil, Status: work.Todo, Who: evil, WhoColor: evil, Due: evil, DueTone: "late", More: 2, Comments: 3,
		Labels: [labelsShown]Chip{{ID: "l", Label: evil, Color: evil}}, Project: Chip{ID: "p", Label: evil, Color: "red"}, Mark: port.Device}
	for _, card := range []bool{false, true} {
		for _, change := range []func(*Row){func(*Row) {}, func(r *Row) { r.Rename = true }, func(r *Row) { r.Frozen = true }} {
			x := r
			change(&x)
			got := x.HTML(card)
			if strings.Contains(got, "<b ") || strings.ContainsAny(got, "\x1e\x1f") || strings.Contains(got, `"'`) {
				t.Errorf("card %v: %s", card, got)
			}
			if !strings.Contains(got, "&#34;&#39;&gt;&lt;b onclick=x&gt;&amp;amp;") {
				t.Errorf("card %v: the text is not there: %s", card, got)
			}
			if open, closed := strings.Count(got, "<")-strings.Count(got, "</"), strings.Count(got, "</"); !x.Rename && open != closed {
				t.Errorf("card %v: %d elements are opened, %d closed: %s", card, open, closed, got)
			}
		}
	}
}
