// Package view is how things look: controls, rows and cards, and the words for values. Everything is a pure function of
// comparable values; rows are components that draw alone.
//
// Controls carry no handlers. What a click means is in data-act, about whom in data-id; the component around listens
// once and asks Act. So no handler can be left on the wrong row, and a row costs no JavaScript functions.
package view

import (
	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"holdfast/sync/port"
)

const svg = "http://www.w3.org/2000/svg"

// Icon is a symbol of index.html, hidden from assistive technology: the text beside or around it says what it means.
func Icon(name string) app.UI { return icon(name, "icon") }

func icon(name, class string) app.UI {
	return app.Elem("svg").XMLNS(svg).Attr("class", class).Aria("hidden", "true").
		Body(app.Elem("use").XMLNS(svg).Attr("href", "#i-"+name))
}

// StatusIcon and PriorityIcon are the signs of values, without words.
func StatusIcon(status string) app.UI { return icon("status-"+status, "icon st-"+status) }

func PriorityIcon(p int) app.UI {
	n := string(rune('0' + p))
	return icon("priority-"+n, "icon pr-"+n)
}

// Mark shows how far a change has come.
func Mark(of port.Mark) app.UI {
	var m markup
	m.mark(of)
	return app.Raw(m.String())
}

// MarkWords are a mark's icon and its meaning.
func MarkWords(m port.Mark) (icon, text string) {
	switch m {
	case port.Saving:
		return "device", "Saving"
	case port.Device:
		return "device", "Saved on this device"
	case port.Region:
		return "check", "In your region"
	case port.Refused:
		return "alert", "Needs attention"
	}
	return "checks", "Everywhere"
}
