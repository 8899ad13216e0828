package biller

import (
	"context"

	"holdfast/server/billing"
	"holdfast/server/catalog"
	"holdfast/sync/fault"
	"holdfast/sync/id"
)

// Migration moves the subscribers of a plan's older versions to another version.
type Migration struct {
	Plan string `json:"plan"`
	From int    `json:"from,omitempty"` // 0: every other version
	To   int    `json:"to,omitempty"`   // 0: the one that is for sale
	When string `json:"when,omitempty"` // end (of each one's period, the default), now
	Dry  bool   `json:"dry,omitempty"`  // only tell
}

// Migrated is what became of one subscriber.
type Migrated struct {
	catalog.Subscriber        // with the version that they are on
	DueNow             string `json:"due_now,omitempty"`
	Refused            string `json:"refused,omitempty"` // why they stay
}

// Migrate moves subscribers, or tells with Dry what moving them would do: the same code on copies that are thrown away. One who cannot be
// moved does not keep the others.
func (s *Service) Migrate(ctx context.Context, m Migration) ([]Migrated, error) {
	const op = "biller.Migrate"
	p, err := s.Catalog().Plan(m.Plan)
	if err != nil {
		return nil, err
	}
	v, err := p.At(s.cfg.Now())
	if m.To != 0 {
		v, err = p.Number(m.To)
	}
	if err != nil {
		return nil, err
	}
	if m.From != 0 {
		if _, err := p.Number(m.From); err != nil {
			return nil, err
		}
	}
	if m.When == "" {
		m.When = "end"
	}
	if m.When != "end" && m.When != "now" {
		return nil, fault.Errorf(op, fault.Invalid, "Subscribers are moved at the “end” of their period or “now”, not %q.", m.When)
	}
	out := []Migrated{}
	for _, a := range s.Everyone() {
		sub := a.Sub()
		if !sub.Live() || sub.Plan != m.Plan || sub.Items[0].Version == v.Number || m.From != 0 && sub.Items[0].Version != m.From || moves(sub, v.Number) {
			continue
		}
		one := Migrated{Subscriber: catalog.Subscriber{ID: a.ID, Name: a.Name, Version: sub.Items[0].Version}}
		c := billing.Change{Plan: m.Plan, Version: v.Number, When: m.When}
		p, err := s.Try(ctx, id.ID(a.ID), c)
		if err == nil && p.DueNow.Minor != 0 {
			one.DueNow = p.DueNow.String()
		}
		if err == nil && !m.Dry {
			err = s.Do(ctx, id.ID(a.ID), c)
		}
		if err != nil {
			if one.Refused = fault.DetailOf(err); one.Refused == "" {
				return out, err
			}
		}
		out = append(out, one)
	}
	return out, nil
}

// moves tells whether a subscription waits for the same change already.
func moves(sub billing.Sub, to int) bool {
	for _, w := range sub.Scheduled {
		if w.Change.Plan == sub.Plan && w.Change.Version == to {
			return true
		}
	}
	return false
}

// Everyone lists the accounts that count: one for each workspace, on whichever clock.
func (s *Service) Everyone() []*billing.Account {
	var out []*billing.Account
	for _, a := range s.engine.Accounts() {
		if b := s.of(id.ID(a.ID)); b.test {
			if t, err := b.engine.Account(a.ID); err == nil {
				a = t
			}
		}
		out = append(out, a)
	}
	return out
}
