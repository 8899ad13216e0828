package simulate

import (
	"fmt"
	"sort"
	"time"

	"holdfast/server/billing"
	"holdfast/server/meter"
	"holdfast/server/money"
	"holdfast/server/period"
	"holdfast/server/yamldoc"
	"holdfast/sync/fault"
)

// action reads one kind of thing that happens and gives what to do at its moment.
type action struct {
	read func(r *reader, n yamldoc.Node, at time.Time) func(*world) error
}

var actions map[string]action

func init() { // actions that contain actions need the table while it is made
	actions = map[string]action{
		"authenticate": {authenticate},
		"buy":          {command(buy)},
		"cancel":       {command(cancel)},
		"change":       {command(change)},
		"charge":       {command(charge)},
		"collect":      {command(collect)},
		"coupon":       {command(coupon)},
		"credit":       {command(credit)},
		"decide":       {decide},
		"dispute":      {dispute},
		"give":         {command(give)},
		"give_up":      {command(giveUp)},
		"methods":      {command(methods)},
		"migrate":      {migrate},
		"pause":        {command(pause)},
		"preview":      {preview},
		"reactivate":   {command(reactivate)},
		"refund":       {command(refund)},
		"resume":       {command(resume)},
		"subscribe":    {command(subscribe)},
		"top_up":       {command(topUp)},
		"undo":         {command(bare(billing.Stay{}))},
		"unschedule":   {command(bare(billing.Unschedule{}))},
		"upcoming":     {upcoming},
		"update":       {command(update)},
		"usage":        {noUsage},
		"vat":          {command(vat)},
		"void":         {command(void)},
		"wire":         {wire},
	}
}

func actionNames() []string {
	var out []string
	for k := range actions {
		out = append(out, k)
	}
	sort.Strings(out)
	return out
}

// maker builds a command for a customer once the world is there: amounts need the customer's currency, invoices their
// number.
type maker func(w *world, customer string) (billing.Command, error)

func plain(c billing.Command) maker {
	return func(*world, string) (billing.Command, error) { return c, nil }
}

// bare is a command without fields.
func bare(c billing.Command) builder {
	return func(_ *reader, _ yamldoc.Node, f map[string]yamldoc.Node, _ string) maker {
		takes(f)
		return plain(c)
	}
}

// builder reads the fields of an action into a maker.
type builder = func(r *reader, n yamldoc.Node, f map[string]yamldoc.Node, id string) maker

// command is an action that is one command for one customer.
func command(b builder) func(*reader, yamldoc.Node, time.Time) func(*world) error {
	return func(r *reader, n yamldoc.Node, _ time.Time) func(*world) error {
		id, m := build(r, n, b)
		return func(w *world) error {
			c, err := m(w, id)
			if err != nil {
				return err
			}
			return w.engine.Do(w.ctx, id, c)
		}
	}
}

func build(r *reader, n yamldoc.Node, b builder) (string, maker) {
	f := n.Fields(allKeys...)
	id := r.who(n, f)
	return id, b(r, n, f, id)
}

// allKeys are known to every command; what a command does not take, it refuses itself.
var allKeys = []string{"customer", "id", "plan", "version", "quantities", "seats", "addons", "trial_days", "starts", "anchor",
	"coupons", "coupon", "when", "add", "remove", "invoice",
	"credit", "end_trial", "reason", "until", "reset", "pays", "send_invoice", "name", "address", "country", "vat_id", "vat", "exempt", "email", "company_id", "status", "amount",
	"expires", "priority", "below", "lasts", "line", "tax_category", "now"}

// takes refuses fields that an action does not know.
func takes(f map[string]yamldoc.Node, keys ...string) {
	var names []string
	for k := range f {
		names = append(names, k)
	}
	sort.Strings(names)
next:
	for _, k := range names {
		for _, ok := range append(keys, "customer") {
			if ok == k {
				continue next
			}
		}
		f[k].Fail("unknown key; known here: customer, %s", join(keys))
	}
}

func join(keys []string) string {
	s := ""
	for i, k := range keys {
		if i > 0 {
			s += ", "
		}
		s += k
	}
	return s
}

func quantities(f map[string]yamldoc.Node) map[string]int64 {
	out := map[string]int64{}
	for _, e := range f["quantities"].Entries() {
		out[e.Key] = e.Value.Int(-1<<40, 1<<40) // the command refuses what is negative, with the right words
	}
	if f["seats"].Ok() {
		out["seats"] = f["seats"].Int(-1<<40, 1<<40)
	}
	return out
}

func names(n yamldoc.Node) []string {
	if n.IsScalar() {
		return []string{n.Str()}
	}
	var out []string
	for _, x := range n.List() {
		out = append(out, x.Str())
	}
	return out
}

func subscribe(r *reader, n yamldoc.Node, f map[string]yamldoc.Node, _ string) maker {
	takes(f, "id", "plan", "version", "quantities", "seats", "addons", "trial_days", "starts", "anchor", "coupon", "coupons")
	c := billing.Subscribe{ID: f["id"].Str(), Plan: n.Need(f, "plan").Str(), Version: int(f["version"].Int(1, 1e6)),
		Quantities: quantities(f), Addons: names(f["addons"]),
		Starts: f["starts"].Time(r.zone), Anchor: f["anchor"].Time(r.zone), Coupons: append(names(f["coupons"]), names(f["coupon"])...)}
	if !f["version"].Ok() {
		c.Version = 0
	}
	if f["trial_days"].Ok() {
		d := int(f["trial_days"].Int(0, 3660))
		c.TrialDays = &d
	}
	return plain(c)
}

func change(r *reader, n yamldoc.Node, f map[string]yamldoc.Node, _ string) maker {
	takes(f, "plan", "version", "quantities", "seats", "add", "remove", "when", "anchor", "invoice", "credit", "end_trial")
	c := billing.Change{Plan: f["plan"].Str(), Quantities: quantities(f), Add: f["add"].Str(), Remove: f["remove"].Str(),
		EndTrial: f["end_trial"].Bool(),
		Anchor:   f["anchor"].OneOf("keep", "reset"), Invoice: f["invoice"].OneOf("now",
			"next"), Credit: f["credit"].OneOf("balance", "refund", "none")}
	if f["version"].Ok() {
		c.Version = int(f["version"].Int(1, 1e6))
	}
	c.When, c.At = when(r, f["when"])
	if c.Plan == "" && len(c.Quantities) == 0 && c.Add == "" && c.Remove == "" && c.Anchor == "" && !c.EndTrial {
		n.Fail("nothing changes; name a plan, quantities, add, remove, anchor or end_trial")
	}
	return plain(c)
}

// when reads now, end, or a moment.
func when(r *reader, n yamldoc.Node) (string, time.Time) {
	switch s := n.Str(); s {
	case "", "now", "end":
		return s, time.Time{}
	}
	return "", n.Time(r.zone)
}

func cancel(_ *reader, _ yamldoc.Node, f map[string]yamldoc.Node, _ string) maker {
	takes(f, "when", "credit", "reason")
	return plain(billing.Cancel{Now: f["when"].OneOf("now", "end") == "now",
		Credit: f["credit"].OneOf("balance", "refund", "none"), Reason: f["reason"].Str()})
}

func pause(r *reader, _ yamldoc.Node, f map[string]yamldoc.Node, _ string) maker {
	takes(f, "until", "credit")
	return plain(billing.Pause{Until: f["until"].Time(r.zone), Credit: f["credit"].OneOf("balance", "refund", "none")})
}

func resume(_ *reader, _ yamldoc.Node, f map[string]yamldoc.Node, _ string) maker {
	takes(f, "reset")
	return plain(billing.Resume{Reset: f["reset"].Bool()})
}

func reactivate(_ *reader, _ yamldoc.Node, f map[string]yamldoc.Node, _ string) maker {
	takes(f, "reset")
	return plain(billing.Reactivate{Reset: f["reset"].Bool()})
}

func coupon(_ *reader, n yamldoc.Node, f map[string]yamldoc.Node, _ string) maker {
	takes(f, "coupon")
	return plain(billing.Redeem{Coupon: n.Need(f, "coupon").Str()})
}

func methods(_ *reader, _ yamldoc.Node, f map[string]yamldoc.Node, _ string) maker {
	takes(f, "pays", "send_invoice")
	return plain(billing.Methods{List: pays(f["pays"]), Send: f["send_invoice"].Bool()})
}

func update(_ *reader, _ yamldoc.Node, f map[string]yamldoc.Node, id string) maker {
	takes(f, "name", "address", "country", "vat_id", "vat", "exempt", "email", "company_id")
	d := details(id, f)
	return func(w *world, id string) (billing.Command, error) {
		a, err := w.engine.Account(id)
		if err != nil {
			return nil, err
		}
		c := a.Customer
		for key, set := range map[string]func(){
			"name": func() { c.Name = d.Name }, "address": func() { c.Address = d.Address }, "country": func() { c.Country = d.Country },
			"vat_id": func() {
				c.VATID, c.VATStatus = d.VATID,
					d.VATStatus
			}, "exempt": func() { c.Exempt = d.Exempt }, "email": func() { c.Email = d.Email },
			"company_id": func() { c.CompanyID = d.CompanyID },
		} {
			if _, ok := f[key]; ok {
				set()
			}
		}
		if f["vat"].Ok() {
			c.VATStatus = d.VATStatus
		}
		return billing.Update{Customer: c}, nil
	}
}

func vat(_ *reader, n yamldoc.Node, f map[string]yamldoc.Node, _ string) maker {
	takes(f, "status")
	return plain(billing.CheckedVAT{Status: status(n.Need(f, "status"))})
}

// usage turns one line into one event, or into many with every and until.
func (r *reader) usage(n yamldoc.Node, h happening) {
	f := n.Fields("customer", "meter", "event", "value", "data", "id", "source", "time", "replaces", "every", "until")
	id := r.who(n, f)
	ev := meter.Event{Source: f["source"].Str(), ID: f["id"].Str(), Type: f["event"].Str(), Replaces: f["replaces"].Str(),
		Data: map[string]string{}, Time: f["time"].Time(r.zone)}
	if ev.Source == "" {
		ev.Source = "simulation"
	}
	for _, e := range f["data"].Entries() {
		ev.Data[e.Key] = e.Value.Str()
	}
	prop := "value"
	switch {
	case f["meter"].Ok() && r.f.cat != nil:
		m, err := r.f.cat.Meter(f["meter"].Str())
		f["meter"].FailErr(err)
		if m != nil {
			ev.Type, prop = m.Event, m.Value
		}
	case !f["event"].Ok():
		n.Fail("meter is missing (or event, the type that meters count)")
	}
	if f["value"].Ok() {
		ev.Data[prop] = f["value"].Str()
	}
	times := []time.Time{h.at}
	if f["every"].Ok() {
		times = r.repeat(n, f, h.at)
	}
	for i, at := range times {
		one := ev
		if one.ID == "" {
			one.ID = fmt.Sprintf("simulated-%d", h.line)
		}
		if i > 0 {
			one.ID += fmt.Sprintf("/%d", i)
		}
		if one.Time.IsZero() || i > 0 {
			one.Time = at
		}
		if len(r.f.happenings) >= MaxEvents {
			n.Fail("more than %d events", MaxEvents)
			return
		}
		r.f.happenings = append(r.f.happenings, happening{at: at, line: h.line, kind: "usage", refused: h.refused,
			do: func(w *world) error {
				_, err := w.engine.Record(w.ctx, id, one)
				return err
			}})
	}
}

func noUsage(*reader, yamldoc.Node, time.Time) func(*world) error { return nil }

func (r *reader) repeat(n yamldoc.Node, f map[string]yamldoc.Node, at time.Time) []time.Time {
	until := n.Need(f, "until").Time(r.zone)
	var out []time.Time
	if u, err := period.ParseUnit(f["every"].Str()); err == nil {
		for i := 0; ; i++ {
			t := (period.Interval{Unit: u, Count: 1}).Nth(at, i)
			if !t.Before(until) || len(out) > MaxEvents || r.over(t) {
				return out
			}
			out = append(out, t)
		}
	}
	d := f["every"].Duration()
	for t := at; d > 0 && t.Before(until) && len(out) <= MaxEvents && !r.over(t); t = t.Add(d) {
		out = append(out, t)
	}
	return out
}

// over tells whether t lies after the end that the file names.
func (r *reader) over(t time.Time) bool { return !r.f.end.IsZero() && t.After(r.f.end) }

// minor reads an amount in the customer's currency.
func minor(w *world, customer, s string) (int64, error) {
	a, err := w.engine.Account(customer)
	if err != nil {
		return 0, err
	}
	m, err := money.Parse(s, a.Currency)
	return m.Minor, err
}

func unknown(what, id string) error {
	return fault.Errorf("simulate", fault.NotFound, "there is no %s %q", what, id)
}
