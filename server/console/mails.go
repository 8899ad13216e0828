package console

import (
	"net/http"
	"strconv"
	"strings"

	"holdfast/server/billingdb"
	"holdfast/sync/fault"
	"holdfast/sync/id"
)

// mailStates are what became of a mail, in words and in a color.
var mailStates = map[string][2]string{billingdb.Pending: {"Waiting", "blue"}, billingdb.Sent: {"Sent", "green"}, billingdb.Failed: {"Given up", "red"}, billingdb.Kept: {"Kept", "gray"}, billingdb.Skipped: {"Not sent", "gray"}}

func (v view) mails() section {
	t := &table{Caption: "Mails to the customer", Heads: []head{{Text: "When"}, {Text: "What"}, {Text: "To", Wide: true}, {Text: "State"}}}
	for _, m := range v.letters {
		state := mailStates[m.State]
		what := cell{Text: kindText(m.Kind), Href: customerHref(v.a.ID) + "/mails/" + strconv.FormatInt(m.Seq, 10), Small: pick(m.Test != 0, "of a test clock", "")}
		t.Rows = append(t.Rows, row{Cells: []cell{{Text: moment(m.At)}, what, {Text: m.Recipient}, {Text: state[0], Chip: state[1], Small: m.Reason}}})
	}
	return section{ID: "mails", Title: "Mails", Table: t, Empty: "Mails are here once one was written.", Note: pick(len(t.Rows) == v.most, "the newest", "")}
}

func kindText(kind string) string { return words(strings.ReplaceAll(kind, ".", " ")) }

// mail shows one as it was written.
func (c *console) mail(k *call) (any, error) {
	tenant := id.ID(k.r.PathValue("tenant"))
	a, err := c.Billing.Account(k.ctx, tenant)
	if err != nil {
		return nil, noCustomer(err)
	}
	nothing := fault.Errorf("console.mail", fault.NotFound, "There is no such mail. Open the customer's page again.")
	seq, err := strconv.ParseInt(k.r.PathValue("mail"), 10, 64)
	if err != nil {
		return nil, nothing
	}
	m, letter, tries, err := c.Mails.Mail(k.ctx, seq)
	if fault.KindOf(err) == fault.NotFound || err == nil && m.Account != string(tenant) {
		return nil, nothing
	}
	if err != nil {
		return nil, err
	}
	state := mailStates[m.State]
	facts := section{Title: "Mail", Facts: []fact{{Name: "State", Text: state[0], Small: m.Reason}, {Name: "To", Text: pick(m.Recipient == "", "nobody", m.Recipient)}, {Name: "Written", Text: moment(m.At)}}}
	if letter.Attach != "" {
		facts.Facts = append(facts.Facts, fact{Name: "Attached", Text: letter.Attach + ".pdf"})
	}
	text := section{Title: "Text", Pre: letter.Text, Empty: pick(letter.Text == "", "It is not written yet.", "")}
	log := &table{Caption: "Tries", Heads: []head{{Text: "When"}, {Text: "What came of it"}}}
	for _, x := range tries {
		log.Rows = append(log.Rows, row{Cells: []cell{{Text: moment(x.At)}, {Text: pick(x.Reason == "", "The mail server took it.", x.Reason)}}})
	}
	return page{Title: pick(letter.Subject == "", kindText(m.Kind), letter.Subject), At: prefix + "/customers", status: http.StatusOK, Back: &link{Text: a.Name, Href: customerHref(a.ID)},
		Sections: []section{facts, text, {Title: "Tries", Table: log, Empty: "It was not tried to send it."}}}, nil
}
