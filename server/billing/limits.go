package billing

import "time"

const (
	// QuantityMax bounds seats and the like.
	QuantityMax = 10_000_000
	// ScheduledMax bounds the changes that wait on one subscription.
	ScheduledMax = 20
	// CouponsMax bounds the coupons on one subscription.
	CouponsMax = 10
	// MethodsMax bounds a customer's payment methods.
	MethodsMax = 10
	// StepsMax bounds what one customer's clock may do in one go; beyond it something turns in circles.
	StepsMax = 20_000
	// LateFor is how long billed usage is looked at again for late and corrected events.
	LateFor = 62 * 24 * time.Hour
	// LateAfterEnd is when usage that was heard after the end of a subscription is billed: when hardly any can still
	// come.
	LateAfterEnd = LateFor - 24*time.Hour
	// BackdateMax is how far in the past a subscription may start.
	BackdateMax = 366 * 24 * time.Hour
	// OverrideFor is how long something may be granted otherwise than by the plan, if not for good.
	OverrideFor = 10 * 365 * 24 * time.Hour
	reasonMax   = 500 // bytes
	// TrialWarning is how long before its end people are told that a trial ends.
	TrialWarning = 3 * 24 * time.Hour
)
