package entitlement

import (
	"time"

	"holdfast/server/catalog"
	"holdfast/server/money"
	"holdfast/sync/fault"
)

// Values of an Override that are no number.
const (
	ValueOn        = "on"
	ValueOff       = "off"
	ValueUnlimited = "unlimited"
)

// Override is what one customer is granted of a feature instead of what their plan says, for a reason. Whether a limit is soft, and in which
// time it counts, stays as in the plan.
type Override struct {
	Feature string    `json:"feature"`
	Value   string    `json:"value"` // on, off, unlimited or a number
	Reason  string    `json:"reason"`
	Since   time.Time `json:"since"`
	Until   time.Time `json:"until,omitzero"` // it ends then; zero: it stays
}

// Check refuses what f cannot be granted as.
func (o Override) Check(f *catalog.Feature) error {
	const op = "entitlement.Override"
	switch {
	case o.Value == ValueOff, f.Type == "boolean" && o.Value == ValueOn, f.Type != "boolean" && o.Value == ValueUnlimited:
		return nil
	case f.Type == "boolean":
		return fault.Errorf(op, fault.Invalid, "%s is on or off, not %.40q.", f.Name, o.Value)
	}
	n, err := money.ParseNumber(o.Value)
	if err != nil || n.IsNeg() || money.Number(n).Cmp(money.Int(LimitMax)) > 0 {
		return fault.Errorf(op, fault.Invalid, "%s is a number from 0 to %d, unlimited or off, not %.40q.", f.Name, int64(LimitMax), o.Value)
	}
	return nil
}

// apply grants e as o says. What is no longer a value of the feature's type, because the catalogue changed, is left out.
func (o Override) apply(e *Entitlement, f *catalog.Feature) {
	if o.Check(f) != nil {
		return
	}
	e.Override = &o
	e.On, e.Unlimited, e.Limit = o.Value != ValueOff, o.Value == ValueUnlimited, money.Exact{}
	if n, err := money.ParseNumber(o.Value); err == nil {
		e.Limit = money.Number(n)
	}
}
