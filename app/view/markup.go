package view

import (
	"html"
	"strconv"
	"strings"

	"holdfast/sync/port"
)

// markup writes HTML, for what the browser shall make in one go: a row of forty elements costs some 130 calls into
// JavaScript when it is made element by element. Values and text are escaped here and nowhere else.
type markup struct{ strings.Builder }

// open begins an element. attrs are names and values; one whose value is empty is left out.
func (m *markup) open(tag string, attrs ...string) {
	m.WriteByte('<')
	m.WriteString(tag)
	for i := 0; i+1 < len(attrs); i += 2 {
		if attrs[i+1] == "" {
			continue
		}
		m.WriteByte(' ')
		m.WriteString(attrs[i])
		m.WriteString(`="`)
		m.text(attrs[i+1])
		m.WriteByte('"')
	}
	m.WriteByte('>')
}

func (m *markup) close(tag string) {
	m.WriteString("</")
	m.WriteString(tag)
	m.WriteByte('>')
}

// text also takes out what separates the rows of a list in rows.js.
func (m *markup) text(s string) {
	if strings.ContainsAny(s, "\x1e\x1f") {
		s = strings.NewReplacer("\x1e", "\uFFFD", "\x1f", "\uFFFD").Replace(s)
	}
	m.WriteString(html.EscapeString(s))
}

// leaf is an element with only text in it.
func (m *markup) leaf(tag, text string, attrs ...string) {
	m.open(tag, attrs...)
	m.text(text)
	m.close(tag)
}

func (m *markup) icon(name, class string) {
	m.open("svg", "class", class, "aria-hidden", "true")
	m.open("use", "href", "#i-"+name)
	m.close("use")
	m.close("svg")
}

func (m *markup) chip(c Chip) {
	m.open("span", "class", "chip c-"+or(c.Color, "gray"))
	m.leaf("span", "", "class", "dot")
	m.leaf("span", c.Label)
	m.close("span")
}

// avatar is a person's initials on their color; an empty name is nobody. The initials are drawn by the style sheet: as text
// they would be part of the name of the button around them.
func (m *markup) avatar(name, color, class string) {
	if name == "" {
		m.open("span", "class", strings.TrimSpace("avatar avatar-none "+class), "aria-hidden", "true")
		m.icon("user", "icon")
	} else {
		m.open("span", "class", strings.TrimSpace("avatar c-"+or(color, "gray")+" "+class), "aria-hidden", "true", "data-initials", Initials(name))
	}
	m.close("span")
}

func (m *markup) row(r Row) {
	m.open("div", "class", "task is-"+r.Status+on(r.Open, " is-open"))
	if !r.Frozen {
		m.open("span", "class", "grip", "aria-hidden", "true")
		m.icon("grip", "icon")
		m.close("span")
	}
	m.priority(r)
	m.cell(r, "cell st", "status", "Status: "+StatusName(r.Status), func() { m.icon("status-"+r.Status, "icon st-"+r.Status) })
	m.title(r)
	if !r.Rename {
		m.leaf("span", "", "class", "gap")
	}
	if r.Project.Label != "" {
		m.open("span", "class", "wide")
		m.chip(r.Project)
		m.close("span")
	}
	m.open("span", "class", "chips wide")
	m.chips(r, labelsShown)
	m.close("span")
	m.comments(r, "wide")
	m.due(r, "wide")
	m.who(r, "cell as")
	m.mark(r.Mark)
	m.close("div")
}

func (m *markup) card(r Row) {
	m.open("div", "class", "card"+on(r.Open, " is-open"))
	m.title(r)
	m.who(r, "who")
	m.open("div", "class", "meta")
	m.priority(r)
	if r.Project.Label != "" {
		m.chip(r.Project)
	}
	m.chips(r, 1)
	m.due(r, "")
	m.comments(r, "")
	m.mark(r.Mark)
	m.close("div")
	m.close("div")
}

func (m *markup) title(r Row) {
	if r.Rename {
		m.open("input", "class", "rename", "id", "rn-"+string(r.ID), "type", "text", "value", r.Title, "data-id", string(r.ID),
			"aria-label", "Title", "autocomplete", "off")
		return
	}
	tab := "-1"
	if r.Tab {
		tab = "0"
	}
	m.leaf("a", r.Title, "class", "title", "id", "t-"+string(r.ID), "href", r.Href, "tabindex", tab, "data-act", "open", "data-id", string(r.ID))
}

// cell is a small button in a row. The row's keys do the same, so the tab key passes it by.
func (m *markup) cell(r Row, class, act, label string, sign func()) {
	if r.Frozen {
		m.open("span", "class", class, "title", label)
		sign()
		m.leaf("span", label, "class", "vh")
		m.close("span")
		return
	}
	m.open("button", "type", "button", "class", class, "id", act+"-"+string(r.ID), "tabindex", "-1", "title", label, "aria-label", label,
		"data-act", act, "data-id", string(r.ID))
	sign()
	m.close("button")
}

func (m *markup) priority(r Row) {
	n := strconv.Itoa(r.Priority)
	m.cell(r, "cell pr", "priority", "Priority: "+PriorityName(r.Priority), func() { m.icon("priority-"+n, "icon pr-"+n) })
}

func (m *markup) who(r Row, class string) {
	label := "Assigned to nobody"
	if r.Who != "" {
		label = "Assigned to " + r.Who
	}
	m.cell(r, class, "assignee", label, func() { m.avatar(r.Who, r.WhoColor, "") })
}

func (m *markup) due(r Row, class string) {
	if r.Due == "" {
		return
	}
	m.open("span", "class", strings.TrimSpace("due "+class)+on(r.DueTone != "", " due-"+r.DueTone))
	m.icon("calendar", "icon")
	m.leaf("span", "Due ", "class", "vh")
	m.leaf("span", r.Due)
	m.close("span")
}

func (m *markup) comments(r Row, class string) {
	if r.Comments == 0 {
		return
	}
	m.open("span", "class", strings.TrimSpace("count "+class), "title", Count(r.Comments, "comment", "comments"))
	m.icon("comment", "icon")
	m.leaf("span", strconv.Itoa(r.Comments))
	m.leaf("span", " comments", "class", "vh")
	m.close("span")
}

func (m *markup) chips(r Row, most int) {
	more := r.More
	for i, l := range r.Labels {
		switch {
		case l.ID == "":
		case i >= most:
			more++
		default:
			m.chip(l)
		}
	}
	if more > 0 {
		m.leaf("span", "+"+strconv.Itoa(more), "class", "chip")
	}
}

func (m *markup) mark(of port.Mark) {
	name, text := MarkWords(of)
	m.open("span", "class", "mark mark-"+strconv.Itoa(int(of)), "title", text)
	m.icon(name, "icon")
	m.leaf("span", text, "class", "vh")
	m.close("span")
}
