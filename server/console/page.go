package console

import (
	"bytes"
	"embed"
	"html/template"
	"net/http"

	"holdfast/build/assets"
	"holdfast/server/identity"
	"holdfast/sync/fault"
	"holdfast/sync/problem"
)

//go:embed html/*.html
var files embed.FS

var tmpl = template.Must(template.New("").ParseFS(files, "html/*.html"))

// page is what one address shows: sections from top to bottom, each of a few shapes. All of it is text ready to be read.
type page struct {
	Title    string
	Intro    string
	At       string // the path that is current in the navigation
	Back     *link
	Notice   *notice
	Sections []section
	status   int

	Nav    []link // of every page
	Person string
	Style  string
	Script string
}

type notice struct{ Kind, Text string } // kind: danger, good, or empty

type link struct {
	Text, Href, Icon string
	Now              bool
	Kind             string // of a button: primary, danger, or empty
	File             string // it is a download of this name
	Label            string // for those who hear it out of its place
}

// section is a part of a page. What is empty is not shown.
type section struct {
	ID, Title, Note string
	Links           []link
	Facts           []fact
	Bars            *bars
	Table           *table
	Form            *form
	Search          *search
	Pre             string
	Empty           string // what will be here, when there is nothing yet
}

// fact is a figure with its name.
type fact struct {
	Name, Text, Small, Href string
	Kind                    string // danger, warn, good
}

type table struct {
	Caption string
	Heads   []head
	Rows    []row
	More    *link // to the rows after these
}

// head is a column. Wide ones are left out on a small screen.
type head struct {
	Text      string
	Num, Wide bool
}

// row is a line of a table; its first cell names it.
type row struct {
	Cells []cell
	Sum   bool // it adds up those above
}

type cell struct {
	Text, Small, Href string
	Chip              string // a color of the app: the text is a state
	Links             []link
}

// Empty tells whether there is nothing to show.
func (c cell) Empty() bool { return c.Text == "" && c.Small == "" && len(c.Links) == 0 }

// search is a form that only asks.
type search struct {
	Action string
	Fields []field
}

// form changes something once it is sent. Its hidden fields come from what was shown before.
type form struct {
	Action, Submit, Kind string
	Ask                  bool // it asks for a preview: sent by GET, changes nothing
	Fields               []field
	Hidden               []pair
	Cancel               *link
}

type pair struct{ Name, Value string }

type field struct {
	Name, Label, Hint, Value, Type string // type: text, number, date, select, area, check
	Options                        []option
	Required                       bool
	Max                            int
}

type option struct {
	Value, Text string
	Now         bool
}

var nav = []link{
	{Text: "Overview", Href: "/operator", Icon: "list"},
	{Text: "Customers", Href: "/operator/customers", Icon: "users"},
	{Text: "Subscriptions", Href: "/operator/subscriptions", Icon: "refresh"},
	{Text: "Payments", Href: "/operator/payments", Icon: "card"},
	{Text: "Revenue", Href: "/operator/revenue", Icon: "usage"},
	{Text: "Meters", Href: "/operator/meters", Icon: "meter"},
	{Text: "Catalogue", Href: "/operator/catalogue", Icon: "label"},
	{Text: "Reconciliation", Href: "/operator/reconciliation", Icon: "checks"},
	{Text: "Audit", Href: "/operator/audit", Icon: "history"},
}

// write shows a page to an operator.
func (p page) write(w http.ResponseWriter, who identity.Caller) error {
	p.Person = who.Person.Name
	for _, l := range nav {
		l.Now = l.Href == p.At
		p.Nav = append(p.Nav, l)
	}
	return p.send(w, "page")
}

func (p page) send(w http.ResponseWriter, name string) error {
	p.Style, p.Script = asset("console.css"), asset("console.js")
	var b bytes.Buffer
	if err := tmpl.ExecuteTemplate(&b, name, p); err != nil {
		return fault.E("console.write", fault.Other, err)
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	if p.status == 0 {
		p.status = http.StatusOK
	}
	w.WriteHeader(p.status)
	w.Write(b.Bytes()) // a failed write is a client that left
	return nil
}

// asset is where one of the console's own built files is; empty while the binary carries none.
func asset(name string) string {
	path := assets.URL(name)
	if path == "" {
		return ""
	}
	return prefix + path
}

// broken is the page for an error that an operator may read.
func broken(err error, at string) page {
	q := problem.Of(err)
	return page{Title: q.Title, At: at, status: q.Status, Notice: &notice{"danger", sentence(q.Detail)},
		Back: &link{Text: "Back to the overview", Href: prefix}}
}
