// Package mail writes the hub's letters and sends them by SMTP.
//
// A letter is made of facts by a template of its kind (letters.en.txt): a subject, short paragraphs and perhaps one button. Text and HTML
// come from the same paragraphs, so they cannot differ. What a letter says is fixed when it is composed; every try sends the same, under the same
// Message-ID, so that whoever gets it twice can tell.
package mail

import (
	"bytes"
	_ "embed" // the templates
	"html/template"
	"slices"
	"strings"
	text "text/template"

	"holdfast/sync/fault"
)

//go:embed letters.en.txt
var lettersText string

//go:embed letter.html
var letterHTML string

var (
	letters = text.Must(text.New("letters").Option("missingkey=error").Parse(lettersText))
	layout  = template.Must(template.New("letter").Parse(letterHTML))
)

// Facts are what letters are made of. Amounts, days and moments are texts, ready to show.
type Facts struct {
	ID        string // of the event: it becomes the Message-ID
	Kind      string
	Text      string // the notice's own sentence, without a full stop
	Workspace string
	Seller    string
	Plan      string
	Amount    string // of the payment that the notice is about
	Reason    string // why it failed, as a sentence
	Retry     string // when it is tried again; empty: never
	Restrict  string // when the workspace may only be read; empty: never, or already
	HasMethod bool   // something can be charged
	Invoice   Invoice
	Note      Note
	Link      string // where the button leads
	Attach    string // number of the document to attach as PDF
	To        string // address; empty: nobody is known
	Operator  bool   // it goes to the operator and not to the customer
	Test      bool   // of a test clock
}

// Invoice is an invoice in a letter.
type Invoice struct {
	Number, Total, Due, DueBy string
	Paid, ByTransfer          bool
}

// Note is a credit note in a letter.
type Note struct {
	Number, Of, Reason, Total      string
	ToInvoice, ToBalance, ToRefund string // empty: nothing
}

// Letter is a mail that was composed.
type Letter struct {
	ID       string `json:"id"`
	To       string `json:"to"`
	Subject  string `json:"subject"`
	Text     string `json:"text"`
	HTML     string `json:"html"`
	Attach   string `json:"attach,omitempty"`
	Operator bool   `json:"operator,omitempty"` // it goes to the operator and not to the customer
}

// Kinds lists the kinds that have a letter.
func Kinds() []string {
	var out []string
	for _, t := range letters.Templates() {
		if t.Name() != "letters" {
			out = append(out, t.Name())
		}
	}
	slices.Sort(out)
	return out
}

// Compose writes the letter of a notice. NotFound: its kind has none.
func Compose(f Facts) (Letter, error) {
	const op = "mail.Compose"
	t := letters.Lookup(f.Kind)
	if t == nil {
		return Letter{}, fault.Errorf(op, fault.NotFound, "there is no letter for %q", f.Kind)
	}
	var b bytes.Buffer
	if err := t.Execute(&b, f); err != nil {
		return Letter{}, fault.E(op, fault.Other, err)
	}
	page := struct {
		Subject, Seller, Action, Link string
		Paragraphs, Footer            []string
	}{Seller: f.Seller, Link: f.Link}
	for p := range strings.SplitSeq(b.String(), "\n\n") {
		p = strings.Join(strings.Fields(p), " ")
		switch {
		case p == "":
		case page.Subject == "":
			page.Subject = p
			if f.Test {
				page.Subject = "[Test] " + p
				page.Paragraphs = []string{"This is a test: it happened on a test clock. Nothing is owed and nothing is paid."}
			}
		case strings.HasPrefix(p, "[") && strings.HasSuffix(p, "]"):
			page.Action = strings.Trim(p, "[]")
		default:
			page.Paragraphs = append(page.Paragraphs, p)
		}
	}
	page.Footer = []string{"You get this mail because this address stands on the billing page of " + f.Workspace + ".", "It is about a contract, so it cannot be unsubscribed. An owner can change the address there."}
	if f.Operator {
		page.Footer = []string{"You get this mail because this address is the seller's in the catalogue."}
	}
	var html bytes.Buffer
	if err := layout.Execute(&html, page); err != nil {
		return Letter{}, fault.E(op, fault.Other, err)
	}
	parts := slices.Clone(page.Paragraphs)
	if page.Action != "" {
		parts = append(parts, page.Action+": "+f.Link)
	}
	parts = append(parts, "-- \n"+strings.Join(append([]string{f.Seller}, page.Footer...), "\n"))
	return Letter{ID: f.ID, To: f.To, Subject: page.Subject, Text: strings.Join(parts, "\n\n") + "\n", HTML: html.String(), Attach: f.Attach, Operator: f.Operator}, nil
}
