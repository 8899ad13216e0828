// Package entitlement says what a workspace may use: features that are on, numbers that are granted, metered amounts
// with how much of them is used. It is pure. Edges get the result through the directory and enforce it; over a hard
// limit the person reads Refusal.
//
// Grants of the plan and of add-ons add up: any grant turns a feature on, limits are summed, unlimited wins, and one
// soft grant makes the limit soft. An Override replaces what they come to, for one customer.
package entitlement

import (
	"fmt"
	"time"

	"holdfast/server/catalog"
	"holdfast/server/meter"
	"holdfast/server/money"
	"holdfast/server/period"
	"holdfast/sync/fault"
)

// Input is what entitlements follow from.
type Input struct {
	Catalog    *catalog.Catalog
	Terms      []*catalog.Version // the plan's and the add-ons'; none if nothing runs
	Quantities map[string]int64
	Period     period.Span // the billing period
	Since      time.Time   // start of the subscription
	Usage      *meter.Log
	Overrides  []Override // that are in force
	Now        time.Time
}

// Entitlement is what is granted of one feature. Limit, Used and Left are quantities; they are zero for a boolean
// feature.
type Entitlement struct {
	Feature   string      `json:"feature"`
	Name      string      `json:"name"`
	Type      string      `json:"type"`
	On        bool        `json:"on"`
	Unlimited bool        `json:"unlimited,omitempty"`
	Soft      bool        `json:"soft,omitempty"`
	Limit     money.Exact `json:"limit"`
	Used      money.Exact `json:"used"`
	Window    period.Span `json:"window"` // in which use is counted; ends when it starts again
	Alerts    []int       `json:"alerts,omitempty"`
	Override  *Override   `json:"override,omitempty"` // that says so instead of the plan
}

// Left is how much may still be used; it is never below zero.
func (e Entitlement) Left() money.Exact { return e.Limit.Sub(e.Used).Max(money.Exact{}) }

// Percent is how much of the limit is used, rounded down; a limit of zero counts as full once anything is used.
func (e Entitlement) Percent() int {
	if e.Unlimited {
		return 0
	}
	if e.Limit.Sign() == 0 {
		return 100 * e.Used.Sign()
	}
	p, err := e.Used.Mul(money.Int(100)).Div(e.Limit).Sub(money.Frac(1, 2)).Round()
	if err != nil {
		return 1_000_000
	}
	return int(max(p, 0))
}

// All lists every feature of the catalogue, in its order.
func All(in Input) ([]Entitlement, error) {
	var out []Entitlement
	for _, f := range in.Catalog.Features {
		e, err := one(in, f)
		if err != nil {
			return nil, err
		}
		out = append(out, e)
	}
	return out, nil
}

func one(in Input, f catalog.Feature) (Entitlement, error) {
	e := Entitlement{Feature: f.ID, Name: f.Name, Type: f.Type}
	again := ""
	for _, v := range in.Terms {
		for _, g := range v.Grants {
			if g.Feature != f.ID {
				continue
			}
			e.On, e.Unlimited, e.Soft = e.On || g.On, e.Unlimited || g.Unlimited, e.Soft || g.Soft
			limit := money.Number(g.Limit)
			if g.PerUnit != "" {
				limit = limit.Mul(money.Int(in.Quantities[g.PerUnit]))
			}
			e.Limit = e.Limit.Add(limit)
			e.Alerts = append(e.Alerts, g.Alerts...)
			if again == "" {
				again = g.Period
			}
		}
	}
	for _, o := range in.Overrides {
		if o.Feature == f.ID && len(in.Terms) > 0 {
			o.apply(&e, &f)
		}
	}
	if again == "" && e.Override != nil {
		again = "billing"
	}
	if f.Type != "metered" || again == "" {
		return e, nil
	}
	e.Window = in.window(again)
	m, err := in.Catalog.Meter(f.Meter)
	if err != nil {
		return e, err
	}
	span := period.Span{Start: e.Window.Start, End: in.Now.Add(1)} // what happens at this moment counts
	full := e.Window
	if again == "never" || m.Aggregate == "weighted" {
		// a level, such as storage, is used as it stands now, not on average
		level := *m
		if m.Aggregate == "weighted" {
			level.Aggregate = "latest"
			span.Start = in.Since.AddDate(-10, 0, 0)
		}
		m = &level
	}
	q, err := in.Usage.Measure(m, nil, span, full)
	if err != nil {
		return e, err
	}
	e.Used = q.Units
	return e, nil
}

// window is the stretch of time in which a limit counts.
func (in Input) window(again string) period.Span {
	now := in.Now.In(in.Catalog.Zone)
	switch again {
	case "billing":
		if !in.Period.Empty() {
			return in.Period
		}
		again = "month"
	case "never":
		return period.Span{Start: in.Since, End: time.Date(9999, 1, 1, 0, 0, 0, 0, in.Catalog.Zone)}
	}
	iv := period.Interval{Unit: period.Unit(again), Count: 1}
	return iv.Containing(iv.CalendarAnchor(now), now)
}

// Allow decides whether n more may be used. Over a hard limit it is a Limit fault whose text says what happened and
// what to do; over a soft limit it is allowed.
func (e Entitlement) Allow(n money.Exact) error {
	const op = "entitlement.Allow"
	switch {
	case !e.On:
		return fault.Errorf(op, fault.Limit, "%s is not part of this plan; the workspace's owner can choose one that has it", e.Name)
	case e.Unlimited || e.Soft || e.Type == "boolean":
		return nil
	case e.Used.Add(n).Cmp(e.Limit) <= 0:
		return nil
	}
	return fault.Errorf(op, fault.Limit, "%s", e.Refusal())
}

// Refusal is what a person reads over a hard limit.
func (e Entitlement) Refusal() string {
	s := fmt.Sprintf("%s: %s of %s are used.", e.Name, e.Used.Text(2), e.Limit.Text(2))
	if e.Type == "metered" && e.Window.End.Year() < 9000 && !e.Window.End.IsZero() {
		s += fmt.Sprintf(" More is free again on %s.", e.Window.End.Format("2 January 2006"))
	}
	return s + " Nothing you wrote is lost. The workspace's owner can choose a larger plan under Billing."
}

// Crossed lists the alerts that use has reached, ascending, each once.
func (e Entitlement) Crossed() []int {
	var out []int
	for _, a := range e.Alerts {
		if a <= e.Percent() && (len(out) == 0 || out[len(out)-1] != a) {
			out = append(out, a)
		}
	}
	return out
}
