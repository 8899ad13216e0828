package catalog

import (
	"io"
	"regexp"
	"time"
	_ "time/tzdata" // time zones of customers must not depend on what the machine has installed

	"holdfast/server/money"
	"holdfast/server/period"
	"holdfast/server/yamldoc"
)

// Parse reads a catalogue file. Its error lists every problem with its line.
func Parse(r io.Reader) (*Catalog, error) {
	n, doc, err := yamldoc.Parse(r)
	if err != nil {
		return nil, err
	}
	c := Read(n)
	if err := doc.Err("catalog.Parse"); err != nil {
		return nil, err
	}
	return c, nil
}

// reader carries what the parts of a file need of each other.
type reader struct {
	c       *Catalog
	prorate period.Policy
	align   string
	incl    bool
}

var topKeys = []string{"seller", "timezone", "currency", "proration", "align", "tax_included", "meters", "features", "plans", "addons",
	"coupons", "taxes", "invoices", "dunning"}

// Read reads a catalogue at n and notes what is wrong in n's document; the result is of use only if there was nothing.
func Read(n yamldoc.Node) *Catalog {
	r := &reader{c: &Catalog{Zone: time.UTC}, prorate: period.Second, align: "anniversary"}
	f := n.Fields(topKeys...)
	if s := f["timezone"].Str(); s != "" {
		if loc, err := time.LoadLocation(s); err != nil || s == "Local" {
			f["timezone"].Fail("unknown time zone %q; write a name such as Europe/Paris", s)
		} else {
			r.c.Zone = loc
		}
	}
	r.c.Currency = currency(n.Need(f, "currency"))
	if s := f["proration"].Str(); s != "" {
		var err error
		r.prorate, err = period.ParsePolicy(s)
		f["proration"].FailErr(err)
	}
	if f["align"].Ok() {
		r.align = f["align"].OneOf("anniversary", "calendar")
	}
	r.incl = f["tax_included"].Bool()
	r.c.Seller = seller(f["seller"])
	r.meters(f["meters"])
	r.features(f["features"])
	r.c.Plans = r.plans(f["plans"], false)
	if len(r.c.Plans) == 0 {
		n.Fail("there is no plan; add one under plans")
	}
	r.c.Addons = r.plans(f["addons"], true)
	r.coupons(f["coupons"])
	r.taxes(f["taxes"])
	r.c.Invoices = invoices(f["invoices"])
	r.c.Dunning = r.dunning(f["dunning"])
	r.cross(f["plans"])
	return r.c
}

func currency(n yamldoc.Node) money.Currency {
	if !n.Ok() {
		return ""
	}
	c, err := money.ParseCurrency(n.Str())
	n.FailErr(err)
	return c
}

var countryCode = regexp.MustCompile(`^[A-Z]{2}$`)

// Country reads an ISO 3166 two-letter code in upper case (Greece is GR).
func Country(n yamldoc.Node) string {
	s := n.Str()
	if n.Ok() && !countryCode.MatchString(s) {
		n.Fail("%q is not a country; write two capital letters such as FR", s)
	}
	return s
}

func texts(n yamldoc.Node) []string {
	if n.IsScalar() {
		return []string{n.Str()}
	}
	var out []string
	for _, l := range n.List() {
		out = append(out, l.Str())
	}
	return out
}

func seller(n yamldoc.Node) Seller {
	f := n.Fields("name", "country", "vat_id", "email", "iban", "company_id", "address")
	s := Seller{Name: f["name"].Str(), VATID: f["vat_id"].Str(), Email: f["email"].Str(), IBAN: f["iban"].Str(),
		CompanyID: f["company_id"].Str(), Address: texts(f["address"])}
	s.Country = Country(f["country"])
	return s
}

var aggregates = []string{"sum", "count", "unique", "min", "max", "average", "latest", "weighted"}

func (r *reader) meters(n yamldoc.Node) {
	for _, e := range n.Entries() {
		e.Value.CheckName(e.Key)
		f := e.Value.Fields("name", "event", "aggregate", "value", "group_by", "filter", "from")
		m := Meter{ID: e.Key, Name: f["name"].Str(), Event: f["event"].Str(), Value: f["value"].Str(), GroupBy: texts(f["group_by"]),
			Filter: filter(f["filter"]), From: f["from"].Time(r.c.Zone), Aggregate: e.Value.Need(f, "aggregate").OneOf(aggregates...)}
		if m.Name == "" {
			m.Name = m.ID
		}
		if m.Event == "" {
			m.Event = m.ID
		}
		if m.Aggregate == "count" && m.Value != "" {
			f["value"].Fail("count counts events and takes no value")
		}
		if m.Value == "" {
			m.Value = "value"
		}
		r.c.Meters = append(r.c.Meters, m)
	}
}

func filter(n yamldoc.Node) map[string][]string {
	if !n.Ok() {
		return nil
	}
	out := map[string][]string{}
	for _, e := range n.Entries() {
		out[e.Key] = texts(e.Value)
		if len(out[e.Key]) == 0 {
			e.Value.Fail("a filter needs at least one value")
		}
	}
	return out
}

func (r *reader) features(n yamldoc.Node) {
	for _, e := range n.Entries() {
		e.Value.CheckName(e.Key)
		f := e.Value.Fields("name", "type", "meter")
		x := Feature{ID: e.Key, Name: f["name"].Str(), Type: e.Value.Need(f, "type").OneOf("boolean", "number", "metered"),
			Meter: f["meter"].Str()}
		if x.Name == "" {
			x.Name = x.ID
		}
		switch {
		case x.Type == "metered" && x.Meter == "":
			e.Value.Fail("a metered feature needs a meter")
		case x.Type != "metered" && x.Meter != "":
			f["meter"].Fail("only a metered feature has a meter")
		case x.Meter != "":
			r.needMeter(f["meter"], x.Meter)
		}
		r.c.Features = append(r.c.Features, x)
	}
}

func (r *reader) needMeter(n yamldoc.Node, id string) *Meter {
	m, err := r.c.Meter(id)
	n.FailErr(err)
	return m
}
