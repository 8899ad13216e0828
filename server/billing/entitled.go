package billing

import (
	"fmt"
	"time"

	"holdfast/server/catalog"
	"holdfast/server/entitlement"
)

// Entitlements is what the customer's workspace may use now. Without a running subscription nothing is granted but
// reading. Measuring usage remembers sums, so outside the engine use Engine.Entitlements.
func (a *Account) Entitlements(cat *catalog.Catalog, now time.Time) ([]entitlement.Entitlement, error) {
	s := a.Sub()
	in := entitlement.Input{Catalog: cat, Quantities: s.Quantities, Period: s.Period, Since: s.Starts, Usage: a.Usage, Overrides: a.Overrides,
		Now: now.In(cat.Zone)}
	if s.Status == Active || s.Status == Trialing {
		for _, i := range s.Items {
			v, err := s.terms(cat, i.Key)
			if err != nil {
				return nil, err
			}
			in.Terms = append(in.Terms, v)
		}
	}
	return entitlement.All(in)
}

// Entitlements is what a customer's workspace may use now.
func (e *Engine) Entitlements(customer string) ([]entitlement.Entitlement, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	a, err := e.account(customer)
	if err != nil {
		return nil, err
	}
	return a.Entitlements(e.cat, e.now)
}

// alerts tells of limits whose percentages were reached, each once in its window.
func (t *tx) alerts() error {
	list, err := t.Entitlements(t.cat, t.now)
	if err != nil {
		return err
	}
	for _, e := range list {
		for _, p := range e.Crossed() {
			key := fmt.Sprintf("%s/%s/%d", e.Feature, e.Window.Start.Format(time.RFC3339), p)
			if t.Alerted[key] {
				continue
			}
			t.Alerted = merge(t.Alerted, key)
			t.mail("entitlement.alert", e.Feature, "%s: %d %% of the limit is reached (%s of %s)", e.Name, p, e.Used.Text(2),
				e.Limit.Text(2))
		}
	}
	return nil
}

func merge(m map[string]bool, key string) map[string]bool {
	out := make(map[string]bool, len(m)+1)
	for k := range m {
		out[k] = true
	}
	out[key] = true
	return out
}

// mayAlert tells whether events of a type count towards a limit with alerts.
func (t *tx) mayAlert(typ string) bool {
	s := t.Sub()
	if s.Status != Active && s.Status != Trialing {
		return false
	}
	for _, i := range s.Items {
		v, err := s.terms(t.cat, i.Key)
		if err != nil {
			return false
		}
		for _, g := range v.Grants {
			f := t.cat.Feature(g.Feature)
			if len(g.Alerts) == 0 || f.Meter == "" {
				continue
			}
			if m, err := t.cat.Meter(f.Meter); err == nil && m.Event == typ {
				return true
			}
		}
	}
	return false
}
