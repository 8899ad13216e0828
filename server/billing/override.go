package billing

import (
	"strings"
	"time"

	"holdfast/server/entitlement"
	"holdfast/sync/fault"
)

// Override grants the customer a feature otherwise than the plan does, until a moment or for good (zero). It replaces one that is there.
type Override struct {
	Feature, Value, Reason string
	Until                  time.Time
}

func (c Override) apply(t *tx) error {
	const op = "billing.Override"
	f := t.cat.Feature(c.Feature)
	o := entitlement.Override{Feature: c.Feature, Value: strings.TrimSpace(c.Value), Reason: strings.TrimSpace(c.Reason), Since: t.now, Until: c.Until}
	switch {
	case f == nil:
		return fault.Errorf(op, fault.NotFound, "There is no feature %.64q in the catalogue.", c.Feature)
	case o.Reason == "":
		return fault.Errorf(op, fault.Invalid, "Say why: whoever looks at it later has to know.")
	case len(o.Reason) > reasonMax:
		return fault.Errorf(op, fault.TooLarge, "A reason has at most %d characters.", reasonMax)
	case !c.Until.IsZero() && !c.Until.After(t.now):
		return fault.Errorf(op, fault.Invalid, "That moment is over. Name a later one, or none if it stays.")
	case c.Until.Sub(t.now) > OverrideFor:
		return fault.Errorf(op, fault.Invalid, "It ends within %d years, or stays.", int(OverrideFor.Hours()/24/365))
	}
	if err := o.Check(f); err != nil {
		return err
	}
	t.Overrides = append(without(t.Overrides, c.Feature), o)
	if o.Until.IsZero() {
		t.notice("entitlement.changed", c.Feature, "%s: %s", f.Name, o.Value)
	} else {
		t.notice("entitlement.changed", c.Feature, "%s: %s until %s", f.Name, o.Value, o.Until.In(t.cat.Zone).Format("2006-01-02 15:04"))
	}
	return nil
}

// EndOverride grants a feature as the plan does again.
type EndOverride struct{ Feature string }

func (c EndOverride) apply(t *tx) error {
	if len(without(t.Overrides, c.Feature)) == len(t.Overrides) {
		return fault.Errorf("billing.EndOverride", fault.Conflict, "%.64q is as in the plan already.", c.Feature)
	}
	t.asInPlan(c.Feature)
	return nil
}

func (t *tx) asInPlan(feature string) {
	t.Overrides = without(t.Overrides, feature)
	name := feature
	if f := t.cat.Feature(feature); f != nil {
		name = f.Name
	}
	t.notice("entitlement.changed", feature, "%s: as in the plan", name)
}

func without(list []entitlement.Override, feature string) []entitlement.Override {
	return filter(list, func(o entitlement.Override) bool { return o.Feature != feature })
}
