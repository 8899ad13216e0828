package console

import (
	"fmt"
	"net/http"
	"net/url"

	"holdfast/server/biller"
	"holdfast/sync/fault"
)

func moveHref(plan string) string {
	return prefix + "/subscriptions/move?plan=" + url.QueryEscape(plan)
}

// move shows what moving a plan's subscribers to the version for sale would do to each of them.
func (c *console) move(k *call) (any, error) {
	return c.showMove(k, k.r.URL.Query(), "")
}

func (c *console) showMove(k *call, in url.Values, why string) (page, error) {
	m := biller.Migration{Plan: in.Get("plan"), When: in.Get("when"), Dry: true}
	if m.When == "" {
		m.When = "end"
	}
	list, err := c.Billing.Migrate(k.ctx, m)
	if err != nil {
		return page{}, err
	}
	p := page{Title: "Move subscribers: " + planName(c.Billing.Catalog(), m.Plan), At: prefix + "/subscriptions", Back: &link{Text: "Subscriptions", Href: prefix + "/subscriptions"},
		Intro: "Subscribers of older versions get the terms that are for sale now. One who cannot be moved stays, and keeps nobody else from moving."}
	if why != "" {
		p.Notice = &notice{"danger", why}
	}
	ask := section{Form: &form{Action: prefix + "/subscriptions/move", Submit: "Show what happens", Ask: true, Hidden: []pair{{"plan", m.Plan}},
		Fields: []field{choice("when", "When", in, "end", "At the end of each one's period", "now", "Now, and settle the period")}}}
	what := section{Title: "Who moves", Note: count(len(list), "subscriber", "subscribers"), Table: moveTable(list), Empty: "Everybody is on the version for sale, or moves to it already."}
	if len(list) > 0 {
		what.Form = &form{Action: prefix + "/subscriptions/move", Submit: "Move them", Kind: "primary", Hidden: []pair{{"plan", m.Plan}, {"when", m.When}, {"print", printOf([]section{what})}},
			Cancel: &link{Text: "Leave it", Href: prefix + "/subscriptions"}}
	}
	p.Sections = []section{ask, what}
	return p, nil
}

func moveTable(list []biller.Migrated) *table {
	t := &table{Caption: "Subscribers", Heads: []head{{Text: "Customer"}, {Text: "Version now", Num: true}, {Text: "To pay at once", Num: true}, {Text: "Outcome"}}}
	for _, x := range list {
		out := cell{Text: "Moves", Chip: "green"}
		if x.Refused != "" {
			out = cell{Text: "Stays", Chip: "amber", Small: sentence(x.Refused)}
		}
		t.Rows = append(t.Rows, row{Cells: []cell{{Text: x.Name, Small: x.ID, Href: customerHref(x.ID)}, {Text: fmt.Sprint(x.Version)}, {Text: x.DueNow}, out}})
	}
	return t
}

// doMove moves the subscribers who were shown. Moved ones are not moved again, so sending it twice does it once.
func (c *console) doMove(k *call) (any, error) {
	c.acting.Lock()
	defer c.acting.Unlock()
	p, err := c.showMove(k, k.form, "Something changed since this was shown. Look at it again before you go on.")
	if err != nil {
		return nil, err
	}
	if what := p.Sections[1]; what.Form == nil || k.form.Get("print") != printOf([]section{{Title: what.Title, Table: what.Table}}) {
		p.status = http.StatusConflict
		return p, nil
	}
	list, err := c.Billing.Migrate(k.ctx, biller.Migration{Plan: k.form.Get("plan"), When: k.form.Get("when")})
	if err != nil {
		return nil, err
	}
	moved := 0
	for _, x := range list {
		if x.Refused == "" {
			moved++
		}
	}
	if moved == 0 {
		return nil, fault.Errorf("console.move", fault.Conflict, "Nobody could be moved. Look at each of them for the reason.")
	}
	return to(prefix + "/subscriptions?moved=1"), c.Operators.Audit(k.ctx, k.caller.Person.ID, "plan.migrate", "", fmt.Sprintf("%s, %d subscribers, when %s", k.form.Get("plan"), moved, k.form.Get("when")))
}
