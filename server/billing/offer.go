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
	return e.compare(next)
}

// compare also refuses what no catalogue may change.
func (e *Engine) compare(next *catalog.Catalog) ([]catalog.Change, error) {
	const op = "billing.compare"
	changes, err := catalog.Compare(e.cat, next, e.now, e.subscribers())
	old, now := e.cat.Invoices, next.Invoices
	switch {
	case err != nil:
	case next.Zone.String() != e.cat.Zone.String():
		err = fault.Errorf(op, fault.Conflict, "the time zone of billing never changes; it is %s", e.cat.Zone)
	case now.PerCustomer != old.PerCustomer || now.Prefix != old.Prefix || now.CreditPrefix != old.CreditPrefix:
		err = fault.Errorf(op, fault.Conflict, "the numbering of invoices never changes; a series has no gaps")
	}
	return changes, err
}

// SetCatalog sells by another catalogue from now on, if nothing in it is refused. Running subscriptions keep their
// versions; what they have redeemed stays. The time zone and the numbering of documents never change.
func (e *Engine) SetCatalog(next *catalog.Catalog) ([]catalog.Change, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	changes, err := e.compare(next)
	if err != nil {
		return changes, err
	}
	e.cat = next
	for _, id := range e.order {
		e.wake(id) // rules of dunning may have moved an alarm
	}
	return changes, nil
}

// subscribers lists who is on a version of a plan or add-on, in the order in which they came.
func (e *Engine) subscribers() catalog.Subscribers {
	type terms struct {
		plan    string
		version int
	}
	on := map[terms][]catalog.Subscriber{}
	for _, id := range e.order {
		a := e.accounts[id]
		s := a.Sub()
		if s.ID == "" {
			continue // one who cancelled may come back to their version
		}
		for _, i := range s.Items {
			plan := i.Key
			if plan == "" {
				plan = s.Plan
			}
			at := terms{plan, i.Version}
			on[at] = append(on[at], catalog.Subscriber{ID: a.ID, Name: a.Name, Version: i.Version})
		}
	}
	return func(plan string, version int) []catalog.Subscriber { return on[terms{plan, version}] }
}
