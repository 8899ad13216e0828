package billing

import (
	"holdfast/server/catalog"
	"holdfast/sync/fault"
)

// CompareCatalog lists what another catalogue would change now, and for how many subscribers. Its error says that some
// of it is refused.
func (e *Engine) CompareCatalog(next *catalog.Catalog) ([]catalog.Change, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return catalog.Compare(e.cat, next, e.now, e.subscribers())
}

// SetCatalog sells by another catalogue from now on, if nothing in it is refused. Running subscriptions keep their
// versions; what they have redeemed stays. The time zone and the numbering of documents never change.
func (e *Engine) SetCatalog(next *catalog.Catalog) ([]catalog.Change, error) {
	const op = "billing.SetCatalog"
	e.mu.Lock()
	defer e.mu.Unlock()
	changes, err := catalog.Compare(e.cat, next, e.now, e.subscribers())
	if err != nil {
		return changes, err
	}
	old := e.cat.Invoices
	switch now := next.Invoices; {
	case next.Zone.String() != e.cat.Zone.String():
		return changes, fault.Errorf(op, fault.Conflict, "the time zone of billing never changes; it is %s", e.cat.Zone)
	case now.PerCustomer != old.PerCustomer || now.Prefix != old.Prefix || now.CreditPrefix != old.CreditPrefix:
		return changes, fault.Errorf(op, fault.Conflict, "the numbering of invoices never changes; a series has no gaps")
	}
	e.cat = next
	for _, id := range e.order {
		e.wake(id) // rules of dunning may have moved an alarm
	}
	return changes, nil
}

// subscribers counts who is on a version of a plan or add-on.
func (e *Engine) subscribers() catalog.Subscribers {
	type terms struct {
		plan    string
		version int
	}
	count := map[terms]int{}
	for _, a := range e.accounts {
		s := a.Sub()
		if s.ID == "" {
			continue // one who cancelled may come back to their version
		}
		for _, i := range s.Items {
			plan := i.Key
			if plan == "" {
				plan = s.Plan
			}
			count[terms{plan, i.Version}]++
		}
	}
	return func(plan string, version int) int { return count[terms{plan, version}] }
}
