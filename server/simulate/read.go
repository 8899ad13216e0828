package simulate

import (
	"fmt"
	"io"
	"sort"
	"strings"
	"time"

	"holdfast/server/billing"
	"holdfast/server/catalog"
	"holdfast/server/money"
	"holdfast/server/payment"
	"holdfast/server/tax"
	"holdfast/server/yamldoc"
	"holdfast/sync/fault"
)

// file is a simulation that was read: what is for sale, who buys, and what happens.
type file struct {
	start, end time.Time
	cat        *catalog.Catalog
	customers  []customer
	happenings []happening
}

type customer struct {
	billing.Customer
	methods []payment.Method
	send    bool
	line    int
}

// happening is something at a moment.
type happening struct {
	at      time.Time
	line    int
	kind    string
	refused bool // the file expects it to be refused
	do      func(*world) error
}

// read reads a simulation; its error lists every problem with its line.
func read(in io.Reader, open func(string) (io.ReadCloser, error)) (*file, error) {
	const op = "simulate.read"
	n, doc, err := yamldoc.Parse(in)
	if err != nil {
		return nil, err
	}
	f := n.Fields("start", "end", "catalog", "customers", "events")
	out := &file{}
	if out.cat, err = readCatalog(n.Need(f, "catalog"), open); err != nil {
		return nil, err
	}
	zone := time.UTC
	if out.cat != nil && out.cat.Zone != nil {
		zone = out.cat.Zone
	}
	out.start = n.Need(f, "start").Time(zone)
	out.end = f["end"].Time(zone)
	r := &reader{f: out, zone: zone, names: map[string]bool{}}
	for _, e := range f["customers"].Entries() {
		r.customer(e)
	}
	if len(out.customers) == 0 {
		n.Fail("there is no customer; add one under customers")
	}
	list := f["events"].List()
	if len(list) > MaxEvents {
		f["events"].Fail("more than %d events", MaxEvents)
		list = nil
	}
	for _, e := range list {
		r.event(e)
	}
	sort.SliceStable(out.happenings, func(i, j int) bool { return out.happenings[i].at.Before(out.happenings[j].at) })
	if out.end.IsZero() && len(out.happenings) > 0 {
		out.end = out.happenings[len(out.happenings)-1].at
	}
	if out.end.Before(out.start) {
		out.end = out.start
	}
	if out.end.Sub(out.start) > MaxSpan {
		f["end"].Fail("a simulation runs at most %d years", int(MaxSpan.Hours()/24/365))
	}
	return out, doc.Err(op)
}

// readCatalog reads the catalogue in the file, or the one whose file name stands there.
func readCatalog(n yamldoc.Node, open func(string) (io.ReadCloser, error)) (*catalog.Catalog, error) {
	if !n.IsScalar() {
		if !n.Ok() {
			return nil, nil
		}
		return catalog.Read(n), nil
	}
	if open == nil {
		n.Fail("catalogues in other files cannot be read here; write the catalogue into this file")
		return nil, nil
	}
	r, err := open(n.Str())
	if err != nil {
		n.Fail("%s cannot be read: %s", n.Str(), err)
		return nil, nil
	}
	defer r.Close()
	c, err := catalog.Parse(r)
	if err != nil {
		return nil, fault.Errorf("simulate.read", fault.Invalid, "%s: %s", n.Str(),
			strings.ReplaceAll(fault.DetailOf(err), "\n", "\n"+n.Str()+": "))
	}
	return c, nil
}

// reader carries what the parts of a file need of each other.
type reader struct {
	f     *file
	zone  *time.Location
	names map[string]bool
}

var customerKeys = []string{"name", "address", "country", "currency", "vat_id", "vat", "exempt", "email", "company_id", "pays",
	"send_invoice"}

func (r *reader) customer(e yamldoc.Entry) {
	e.Value.CheckName(e.Key)
	f := e.Value.Fields(customerKeys...)
	c := customer{line: e.Value.Line()}
	c.Customer = details(e.Key, f)
	c.methods, c.send = pays(f["pays"]), f["send_invoice"].Bool()
	r.names[e.Key] = true
	r.f.customers = append(r.f.customers, c)
}

func details(id string, f map[string]yamldoc.Node) billing.Customer {
	c := billing.Customer{ID: id, Name: f["name"].Str(), Country: catalog.Country(f["country"]), VATID: f["vat_id"].Str(),
		Exempt: f["exempt"].Bool(), Email: f["email"].Str(),
		CompanyID: f["company_id"].Str()}
	if c.Name == "" {
		c.Name = id
	}
	if f["address"].IsScalar() {
		c.Address = []string{f["address"].Str()}
	} else {
		for _, l := range f["address"].List() {
			c.Address = append(c.Address, l.Str())
		}
	}
	if f["currency"].Ok() {
		cur, err := money.ParseCurrency(f["currency"].Str())
		f["currency"].FailErr(err)
		c.Currency = cur
	}
	if f["vat"].Ok() {
		c.VATStatus = status(f["vat"])
	}
	return c
}

func status(n yamldoc.Node) tax.Status {
	return map[string]tax.Status{"valid": tax.Valid, "invalid": tax.Bad}[n.OneOf("valid", "invalid", "unavailable")]
}

// pays reads one payment method or a list: card: 4242…, debit: account-ok, or the word wire.
func pays(n yamldoc.Node) []payment.Method {
	if !n.Ok() {
		return nil
	}
	list := []yamldoc.Node{n}
	if n.IsList() {
		list = n.List()
	}
	var out []payment.Method
	check := payment.NewTest(time.Now)
	for _, x := range list {
		m := payment.Method{Kind: payment.Wire}
		if x.IsScalar() {
			x.OneOf("wire", "card", "debit")
			m.Kind = x.Str()
		} else {
			f := x.Fields("card", "debit")
			switch {
			case f["card"].Ok():
				m = payment.Method{Kind: payment.Card, Token: f["card"].Str()}
			case f["debit"].Ok():
				m = payment.Method{Kind: payment.Debit, Token: f["debit"].Str()}
			default:
				x.Fail("want card: …, debit: …, or wire")
				continue
			}
		}
		x.FailErr(check.Check(m))
		out = append(out, m)
	}
	return out
}

// event reads one line of what happens: a moment, and one thing.
func (r *reader) event(n yamldoc.Node) {
	known := append([]string{"at", "expect", "note"}, actionNames()...)
	f := n.Fields(known...)
	h := happening{at: n.Need(f, "at").Time(r.zone), line: n.Line(), refused: f["expect"].OneOf("refused") != ""}
	for _, name := range actionNames() {
		x, ok := f[name]
		if !ok {
			continue
		}
		if h.kind != "" {
			x.Fail("%s and %s stand in one event; write two", h.kind, name)
			continue
		}
		h.kind = name
		h.do = actions[name].read(r, x, h.at)
		if name == "usage" {
			r.usage(x, h)
			h.do = nil
		}
	}
	if h.kind == "" {
		n.Fail("nothing happens; add one of %s", strings.Join(actionNames(), ", "))
	}
	if !h.at.IsZero() && !r.f.start.IsZero() && h.at.Before(r.f.start) {
		f["at"].Fail("%s lies before the start", h.at.Format("2006-01-02"))
	}
	if !h.at.IsZero() && !r.f.end.IsZero() && h.at.After(r.f.end) {
		f["at"].Fail("%s lies after the end", h.at.Format("2006-01-02"))
	}
	if h.do != nil {
		r.f.happenings = append(r.f.happenings, h)
	}
}

// who reads the customer that an event is about.
func (r *reader) who(n yamldoc.Node, f map[string]yamldoc.Node) string {
	c := n.Need(f, "customer")
	id := c.Str()
	if c.Ok() && !r.names[id] {
		c.Fail("there is no customer %q", id)
	}
	return id
}

func (r *reader) amount(n yamldoc.Node) string {
	n.Number()
	return n.Str()
}

func (f *file) String() string {
	return fmt.Sprintf("%d customers, %d events, %s to %s", len(f.customers), len(f.happenings), f.start.Format("2006-01-02"),
		f.end.Format("2006-01-02"))
}
