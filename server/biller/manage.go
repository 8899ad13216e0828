package biller

import (
	"bytes"
	"context"
	"strings"
	"time"

	"holdfast/server/billing"
	"holdfast/server/document"
	"holdfast/server/invoice"
	"holdfast/server/mail"
	"holdfast/server/payment"
	"holdfast/server/tax"
	"holdfast/server/tenancy"
	"holdfast/sync/fault"
	"holdfast/sync/id"
)

// fresh brings a workspace's account to now, usage included, and returns what the hub knows of it.
func (s *Service) fresh(ctx context.Context, tenant id.ID) (tenancy.Brief, error) {
	t, err := s.cfg.Tenancy.Brief(ctx, tenant)
	if err != nil {
		return t, err
	}
	if err := s.prepare(ctx, t, true); err != nil {
		return t, err
	}
	return t, s.catchUp(ctx, tenant)
}

// catchUp moves the clock of a workspace's books to now. A test clock stands still, but its bank may have something to tell.
func (s *Service) catchUp(ctx context.Context, tenant id.ID) error {
	b := s.of(tenant)
	if !b.test {
		return s.advance(ctx)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.tick(ctx, b.engine.Now())
}

// do runs a command for a workspace and tells the edges at once what it allows.
func (s *Service) do(ctx context.Context, tenant id.ID, c billing.Command) error {
	_, err := s.Run(ctx, tenant, c)
	return err
}

// Run runs a command for a workspace, tells the edges at once what it allows, and gives what came of it, in the form of a preview.
func (s *Service) Run(ctx context.Context, tenant id.ID, c billing.Command) (billing.Preview, error) {
	if _, err := s.fresh(ctx, tenant); err != nil {
		return billing.Preview{}, err
	}
	b := s.of(tenant)
	before, err := func() (*billing.Account, error) {
		b.mu.Lock()
		defer b.mu.Unlock()
		a, err := b.engine.Account(string(tenant))
		if err != nil {
			return nil, err
		}
		return a, b.engine.Do(ctx, string(tenant), c)
	}()
	if err != nil {
		return billing.Preview{}, err
	}
	if s.stripe != nil && !b.test {
		if err := s.stripe.settle(ctx, string(tenant)); err != nil {
			return billing.Preview{}, err
		}
		s.hearNow(ctx)
	}
	after, err := b.engine.Account(string(tenant))
	if err != nil {
		return billing.Preview{}, err
	}
	t, err := s.cfg.Tenancy.Brief(ctx, tenant)
	if err != nil {
		return billing.Preview{}, err
	}
	return billing.Between(before, after), s.publish(ctx, t)
}

// toPlan is the command that moves a workspace to a plan: a dearer one now, a cheaper one at the end of the month.
func (s *Service) toPlan(ctx context.Context, tenant id.ID, plan string) (billing.Command, error) {
	const op = "biller.ChangePlan"
	t, err := s.fresh(ctx, tenant)
	if err != nil {
		return nil, err
	}
	b := s.of(tenant)
	b.mu.Lock()
	defer b.mu.Unlock()
	a, err := b.engine.Account(string(tenant))
	if err != nil {
		return nil, err
	}
	if _, err := b.engine.Catalog().Plan(plan); err != nil {
		return nil, fault.Errorf(op, fault.NotFound, "There is no plan called %q. Load the page again.", plan)
	}
	sub := a.Sub()
	quantities := s.taken(b, plan, t)
	switch {
	case sub.Plan == plan && sub.Live() && len(sub.Scheduled) > 0:
		return billing.Unschedule{}, nil
	case sub.Plan == plan && sub.Live():
		return nil, fault.Errorf(op, fault.Conflict, "The workspace has this plan already.")
	case !sub.Live():
		return billing.Subscribe{Plan: plan, Quantities: quantities}, nil
	}
	return billing.Change{Plan: plan, Quantities: quantities}, nil
}

// Preview tells what changing to a plan would do now. It changes nothing.
func (s *Service) Preview(ctx context.Context, tenant id.ID, plan string) (billing.Preview, error) {
	c, err := s.toPlan(ctx, tenant, plan)
	if err != nil {
		return billing.Preview{}, err
	}
	return s.of(tenant).engine.Preview(string(tenant), c)
}

// ChangePlan moves a workspace to a plan as Preview showed it. A plan that costs something needs a payment method.
func (s *Service) ChangePlan(ctx context.Context, tenant id.ID, plan string) error {
	c, err := s.toPlan(ctx, tenant, plan)
	if err != nil {
		return err
	}
	_, err = s.Paying().Run(ctx, tenant, c)
	return err
}

// Paying runs commands for a workspace's own people: what costs something now needs a way to pay.
type Paying struct{ *Service }

// Paying is the service as a workspace's own people use it.
func (s *Service) Paying() Paying { return Paying{s} }

// Run is Service.Run, refused if money would be owed now that nothing can be charged for.
func (p Paying) Run(ctx context.Context, tenant id.ID, c billing.Command) (billing.Preview, error) {
	would, err := p.Try(ctx, tenant, c)
	if err != nil {
		return would, err
	}
	if a := would.After; would.DueNow.Minor > 0 && len(a.Methods) == 0 && a.Collect == "" {
		return would, fault.Errorf("biller.Run", fault.Conflict, "This costs %s now. Add a payment method first.", would.DueNow)
	}
	return p.Service.Run(ctx, tenant, c)
}

// SetMethod makes a payment method the one that is charged. What is past due is tried with it at once.
func (s *Service) SetMethod(ctx context.Context, tenant id.ID, m payment.Method) error {
	return s.SetMethods(ctx, tenant, []payment.Method{m}, m.Kind == payment.Wire)
}

// SetMethods sets the methods in the order of trying, or that the customer sends the money. What is past due is tried at once.
func (s *Service) SetMethods(ctx context.Context, tenant id.ID, list []payment.Method, send bool) error {
	const op = "biller.SetMethods"
	c := billing.Methods{Send: send}
	for _, m := range list {
		if len(m.Token) > methodMax {
			return fault.Errorf(op, fault.TooLarge, "A payment method has at most %d characters.", methodMax)
		}
		if m.Kind == payment.Wire {
			continue // nothing to keep: the invoice says where to send the money
		}
		if s.stripe != nil && !s.of(tenant).test {
			return fault.Errorf(op, fault.Invalid, "Cards and bank accounts are added on the payment processor's page. Open it from the billing page.")
		}
		m.Label, m.Token = "", strings.ReplaceAll(strings.TrimSpace(m.Token), " ", "")
		c.List = append(c.List, m)
	}
	return s.do(ctx, tenant, c)
}

// Confirm is the owner who passes the bank's extra step (3-D Secure) for an invoice that waits for it.
// Where the processor has a page for it, that is returned, and the browser has to go there.
func (s *Service) Confirm(ctx context.Context, tenant id.ID, number string) (page string, err error) {
	a, err := s.of(tenant).engine.Account(string(tenant))
	if err != nil {
		return "", err
	}
	if v := a.Invoice(number); v != nil {
		for _, p := range a.Payments {
			if p.Invoice == v.ID && p.Status == payment.Action {
				if page, err = s.of(tenant).bank.confirm(ctx, p, s.page(tenant)); err != nil {
					return "", err
				}
				return page, s.catchUp(ctx, tenant)
			}
		}
	}
	return "", fault.Errorf("biller.Confirm", fault.Conflict, "No payment of this invoice waits for you.")
}

// Details are what stands on the invoices about the customer.
type Details struct {
	Name    string   `json:"name"`
	Address []string `json:"address"`
	Country string   `json:"country"` // two letters; empty: the seller's
	VATID   string   `json:"vatID"`
	Email   string   `json:"email"`
}

// DetailsOf are an account's.
func DetailsOf(a *billing.Account) Details {
	return Details{a.Name, append([]string{}, a.Address...), a.Country, a.VATID, a.Email}
}

// SetDetails changes what stands on the next invoices.
func (s *Service) SetDetails(ctx context.Context, tenant id.ID, d Details) error {
	if d.Email != "" {
		if err := mail.CheckAddress(d.Email); err != nil {
			return err
		}
	}
	if _, err := s.fresh(ctx, tenant); err != nil {
		return err
	}
	a, err := s.of(tenant).engine.Account(string(tenant))
	if err != nil {
		return err
	}
	c := a.Customer
	if d.VATID, err = tax.CheckID(d.VATID); err != nil {
		return err
	}
	if c.VATID != d.VATID {
		c.VATStatus = "" // the register has not been asked about the new one
	}
	c.Name, c.Address, c.Country, c.VATID, c.Email = d.Name, d.Address, strings.ToUpper(d.Country), d.VATID, d.Email
	return s.do(ctx, tenant, billing.Update{Customer: c})
}

// Document writes an issued invoice or credit note of a workspace as html, pdf or xml (UBL), with its content type.
func (s *Service) Document(tenant id.ID, number, form string) (body []byte, contentType string, err error) {
	return s.of(tenant).document(string(tenant), number, form)
}

func (b *books) document(account, number, form string) (body []byte, contentType string, err error) {
	const op = "biller.Document"
	a, err := b.engine.Account(account)
	if err != nil {
		return nil, "", err
	}
	zone := b.engine.Catalog().Zone
	var paper document.Paper
	var ubl func() ([]byte, error)
	var made time.Time
	if v := a.Invoice(number); v != nil && v.State != invoice.Draft && v.Number == number {
		paper, made, ubl = document.Invoice(*v, zone), v.Issued, func() ([]byte, error) { return document.UBL(*v, zone) }
	}
	for _, n := range a.Notes {
		if v := a.Invoice(n.Invoice); n.Number == number && v != nil {
			paper, made, ubl = document.Note(n, zone), n.Issued, func() ([]byte, error) { return document.UBLNote(n, *v, zone) }
		}
	}
	if ubl == nil {
		return nil, "", fault.Errorf(op, fault.NotFound, "There is no such invoice. Load the list again.")
	}
	var out bytes.Buffer
	switch form {
	case "html", "":
		err = paper.HTML(&out)
		return out.Bytes(), "text/html; charset=utf-8", err
	case "pdf":
		body, err = paper.PDF(made)
		return body, "application/pdf", err
	case "xml":
		body, err = ubl()
		return body, "application/xml", err
	}
	return nil, "", fault.Errorf(op, fault.Invalid, "A document is html, pdf or xml.")
}
