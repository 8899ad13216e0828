package document

import (
	_ "embed" // the page
	"html/template"
	"io"

	"holdfast/sync/fault"
)

//go:embed paper.html
var page string

var tmpl = template.Must(template.New("paper").Parse(page))

// HTML writes the paper as one page without anything from elsewhere: it can be mailed, kept and printed.
func (p Paper) HTML(w io.Writer) error {
	if err := tmpl.Execute(w, p); err != nil {
		return fault.E("document.HTML", fault.Other, err)
	}
	return nil
}
