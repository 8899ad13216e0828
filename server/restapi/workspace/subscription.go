package workspace

import (
	"context"
	"time"

	"holdfast/server/billing"
	"holdfast/server/restapi/endpoint"
	"holdfast/sync/fault"
)

type subscribeInput struct {
	Workspace
	Body struct {
		Plan       string           `json:"plan" minLength:"1" maxLength:"64"`
		Version    int              `json:"version,omitempty" minimum:"1" doc:"Absent: the one for sale"`
		Quantities map[string]int64 `json:"quantities,omitempty" doc:"How many of what the plan is sold by. Seats follow the people who may write"`
		Addons     []string         `json:"addons,omitempty" maxItems:"50"`
		TrialDays  *int             `json:"trial_days,omitempty" minimum:"0" maximum:"3650" doc:"Absent: the plan's"`
		Starts     time.Time        `json:"starts,omitempty" doc:"Absent: now. Earlier is billed from then"`
		Anchor     time.Time        `json:"anchor,omitempty" doc:"From which periods are counted; absent: the start"`
		Coupons    []string         `json:"coupons,omitempty" maxItems:"10"`
	}
}

type changeInput struct {
	Workspace
	Body struct {
		Plan       string           `json:"plan,omitempty" maxLength:"64"`
		Version    int              `json:"version,omitempty" minimum:"1"`
		Quantities map[string]int64 `json:"quantities,omitempty"`
		Add        string           `json:"add,omitempty" maxLength:"64" doc:"An add-on"`
		Remove     string           `json:"remove,omitempty" maxLength:"64" doc:"An add-on"`
		When       string           `json:"when,omitempty" enum:"now,end" doc:"Absent: a dearer plan now, a cheaper one at the end of the period"`
		At         time.Time        `json:"at,omitempty" doc:"Or at a moment"`
		Anchor     string           `json:"anchor,omitempty" enum:"keep,reset"`
		Invoice    string           `json:"invoice,omitempty" enum:"now,next" doc:"When what is added is charged"`
		Credit     string           `json:"credit,omitempty" enum:"balance,refund,none" doc:"What becomes of unused time"`
		EndTrial   bool             `json:"end_trial,omitempty"`
	}
}

type cancelInput struct {
	Workspace
	Body struct {
		Now    bool   `json:"now,omitempty" doc:"At once; otherwise at the end of the period"`
		Credit string `json:"credit,omitempty" enum:"balance,refund,none" doc:"What becomes of unused time, if now"`
		Reason string `json:"reason,omitempty" maxLength:"500"`
	}
}

type pauseInput struct {
	Workspace
	Body struct {
		Until  time.Time `json:"until,omitempty" doc:"When it goes on by itself; absent: when it is resumed"`
		Credit string    `json:"credit,omitempty" enum:"balance,refund,none"`
	}
}

type resetInput struct {
	Workspace
	Body struct {
		Reset bool `json:"reset,omitempty" doc:"Periods start anew from now"`
	}
}

type couponInput struct {
	Workspace
	Body struct {
		Coupon string `json:"coupon" minLength:"1" maxLength:"64"`
	}
}

func (r registrar) subscription() {
	endpoint.Register(r.Group, get("getSubscription", "/subscription", "The current subscription, with the changes that wait"),
		func(ctx context.Context, in Workspace) (Subscription, error) {
			a, err := r.account(ctx, in)
			if err != nil {
				return Subscription{}, err
			}
			return subscription(a), nil
		})
	Command(r.Group, r.run, post("subscribe", "/subscription/subscribe", "Subscribe a workspace that has no running subscription"), r.subscribe)
	Command(r.Group, r.run, post("changeSubscription", "/subscription/change", "Change plan, quantities or add-ons, now or later"), r.change)
	Command(r.Group, r.run, post("unscheduleChanges", "/subscription/unschedule", "Take back all changes that wait"),
		func(context.Context, Workspace) (billing.Command, error) { return billing.Unschedule{}, nil })
	Command(r.Group, r.run, post("cancelSubscription", "/subscription/cancel", "Cancel at the end of the period, or now"),
		func(_ context.Context, in cancelInput) (billing.Command, error) {
			return billing.Cancel{Now: in.Body.Now, Credit: in.Body.Credit, Reason: in.Body.Reason}, nil
		})
	Command(r.Group, r.run, post("undoCancel", "/subscription/stay", "Take back a cancellation that waits for the end of the period"),
		func(context.Context, Workspace) (billing.Command, error) { return billing.Stay{}, nil })
	Command(r.Group, r.run, post("pauseSubscription", "/subscription/pause", "Pause; the workspace can be read meanwhile"),
		func(_ context.Context, in pauseInput) (billing.Command, error) {
			return billing.Pause{Until: in.Body.Until, Credit: in.Body.Credit}, nil
		})
	Command(r.Group, r.run, post("resumeSubscription", "/subscription/resume", "Go on after a pause"),
		func(_ context.Context, in resetInput) (billing.Command, error) {
			return billing.Resume{Reset: in.Body.Reset}, nil
		})
	Command(r.Group, r.run, post("reactivateSubscription", "/subscription/reactivate", "Go on after a cancellation"),
		func(_ context.Context, in resetInput) (billing.Command, error) {
			return billing.Reactivate{Reset: in.Body.Reset}, nil
		})
	Command(r.Group, r.run, post("redeemCoupon", "/subscription/coupons", "Redeem a coupon"),
		func(_ context.Context, in couponInput) (billing.Command, error) {
			return billing.Redeem{Coupon: in.Body.Coupon}, nil
		})
}

func (r registrar) subscribe(ctx context.Context, in subscribeInput) (billing.Command, error) {
	x := in.Body
	if _, err := r.b.Account(ctx, in.Tenant()); err != nil { // it has one from now on
		return nil, err
	}
	q, err := r.b.Taken(ctx, in.Tenant(), x.Plan, x.Quantities)
	return billing.Subscribe{Plan: x.Plan, Version: x.Version, Quantities: q, Addons: x.Addons, TrialDays: x.TrialDays, Starts: x.Starts, Anchor: x.Anchor, Coupons: x.Coupons}, err
}

func (r registrar) change(ctx context.Context, in changeInput) (billing.Command, error) {
	x := in.Body
	if x.Plan == "" && len(x.Quantities) == 0 && x.Add == "" && x.Remove == "" && x.Anchor == "" && !x.EndTrial {
		return nil, fault.Errorf("workspace.change", fault.Invalid, "Say what is to change: a plan, quantities, an add-on to add or remove, the anchor, or the end of the trial.")
	}
	q := x.Quantities
	if x.Plan != "" {
		var err error
		if q, err = r.b.Taken(ctx, in.Tenant(), x.Plan, q); err != nil {
			return nil, err
		}
	}
	c := billing.Change{Plan: x.Plan, Version: x.Version, Quantities: q, Add: x.Add, Remove: x.Remove, When: x.When, At: x.At, Anchor: x.Anchor, Invoice: x.Invoice,
		Credit: x.Credit, EndTrial: x.EndTrial}
	if c.Invoice == "now" {
		c.Invoice = ""
	}
	return c, nil
}
