package biller

import (
	"context"
	"slices"
	"strings"

	"holdfast/server/billing"
	"holdfast/server/catalog"
	"holdfast/sync/fault"
	"holdfast/sync/id"
)

// PastDue is an invoice that is being collected, and what comes next.
type PastDue struct {
	Number     string `json:"number"`
	Due        string `json:"due"`
	Why        string `json:"why,omitempty"`        // why the last payment failed
	RetryMS    int64  `json:"retryMS,omitempty"`    // when it is tried again; 0: not by itself
	RestrictMS int64  `json:"restrictMS,omitempty"` // when the workspace may only be read; 0: it may, or never
}

// CreditNow is credit that pays the next invoices.
type CreditNow struct {
	From      string `json:"from"`
	Left      string `json:"left"`
	ExpiresMS int64  `json:"expiresMS,omitempty"` // 0: never
}

var creditFrom = map[string]string{billing.FromNotes: "Credit note or overpayment", billing.Bought: "Bought ahead", billing.Promotional: "Given to you"}

// owing tells an owner what has to be paid and what pays it.
func (o *Overview) owing(cat *catalog.Catalog, a *billing.Account) {
	o.PastDue, o.Credits = []PastDue{}, []CreditNow{}
	for _, c := range a.Chases {
		v := a.Invoice(c.Invoice)
		if v == nil {
			continue
		}
		p := PastDue{Number: v.Number, Due: text(v.Due(), a.Currency), RetryMS: millis(c.Retry)}
		for _, x := range slices.Backward(a.Payments) {
			if x.Invoice == v.ID && x.Code != "" {
				p.Why = strings.ReplaceAll(x.Code, "_", " ")
				break
			}
		}
		if d := cat.Dunning.Restrict; d > 0 && !a.Restricted {
			p.RestrictMS = millis(c.First.Add(d))
		}
		o.PastDue = append(o.PastDue, p)
	}
	for _, g := range a.Credits {
		if g.Active && g.Left > 0 {
			o.Credits = append(o.Credits, CreditNow{creditFrom[g.Kind], text(g.Left, a.Currency), millis(g.Expires)})
		}
	}
}

// ending tells what becomes of the plan, and what its owner may do about it.
func (p *PlanNow) ending(cat *catalog.Catalog, s billing.Sub) {
	p.EndsMS = millis(s.Ends)
	if s.Status == billing.Trialing {
		p.TrialMS = millis(s.TrialEnd)
	}
	if s.Status == billing.Paused {
		p.ResumeMS = millis(s.ResumeAt)
	}
	runs := s.Status == billing.Active || s.Status == billing.Trialing
	p.MayCancel = runs && s.Ends.IsZero() && s.Plan != cat.Plans[0].ID // nobody has to end what costs nothing
	p.MayReactivate = runs && !s.Ends.IsZero() || s.Status == billing.Cancelled
}

// Cancel ends a workspace's subscription with its period. It can be read afterwards, and reactivated at any time.
func (s *Service) Cancel(ctx context.Context, tenant id.ID) error {
	return s.do(ctx, tenant, billing.Cancel{})
}

// Reactivate takes a cancellation back, or starts a subscription that has ended again.
func (s *Service) Reactivate(ctx context.Context, tenant id.ID) error {
	a, err := s.Account(ctx, tenant)
	if err != nil {
		return err
	}
	var c billing.Command
	switch sub := a.Sub(); {
	case sub.Live() && !sub.Ends.IsZero():
		c = billing.Stay{}
	case sub.Status == billing.Cancelled:
		c = billing.Reactivate{}
	default:
		return fault.Errorf("biller.Reactivate", fault.Conflict, "The subscription runs already. Load the page again.")
	}
	p, err := s.Try(ctx, tenant, c)
	if err == nil && p.DueNow.Minor > 0 && len(a.Methods) == 0 && a.Collect == "" {
		err = fault.Errorf("biller.Reactivate", fault.Conflict, "This plan costs %s now. Add a payment method first.", p.DueNow)
	}
	if err != nil {
		return err
	}
	return s.do(ctx, tenant, c)
}
