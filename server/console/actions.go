package console

import (
	"context"
	"net/url"
	"strings"
	"time"

	"holdfast/server/billing"
	"holdfast/server/invoice"
	"holdfast/server/money"
	"holdfast/server/payment"
	"holdfast/sync/fault"
	"holdfast/sync/id"
)

// action is something that an operator may do to a customer: the command is made of a form's fields, tried, and run as it was shown.
type action struct {
	Name, Link, Title, Text string
	Kind                    string
	Invoice                 bool // it is about one invoice
	Writes                  string
	offered                 func(*billing.Account) bool
	forInvoice              func(*billing.Account, *invoice.Invoice) bool
	fields                  func(*console, *billing.Account, url.Values) []field
	command                 func(context.Context, *console, *billing.Account, url.Values) (billing.Command, error)
}

func status(want ...billing.Status) func(*billing.Account) bool {
	return func(a *billing.Account) bool {
		for _, s := range want {
			if a.Sub().Status == s {
				return true
			}
		}
		return false
	}
}

var actions = []action{
	{Name: "plan", Link: "Change plan", Title: "Change the plan", Text: "A dearer plan starts now, a cheaper one at the end of the period. The same plan in its newest version moves an old subscriber to today's terms.", Writes: "plan.change",
		offered: func(*billing.Account) bool { return true }, fields: planFields, command: toPlan},
	{Name: "trial", Link: "Extend trial", Title: "Extend the trial", Text: "Nothing is charged until the trial ends.", Writes: "trial.extend", offered: status(billing.Trialing),
		fields: func(_ *console, a *billing.Account, in url.Values) []field {
			return []field{{Name: "until", Label: "The last day of the trial", Hint: pick(a.Sub().Status == billing.Trialing, "It ends on "+date(a.Sub().TrialEnd)+" now.", ""), Type: "date", Value: in.Get("until"), Required: true}}
		},
		command: func(_ context.Context, c *console, _ *billing.Account, in url.Values) (billing.Command, error) {
			t, err := c.day(in, "until")
			return billing.Extend{Until: t}, err
		}},
	{Name: "pause", Link: "Pause", Title: "Pause the subscription", Text: "Usage so far is billed, and nothing more is charged until it resumes. The workspace can be read meanwhile.", Writes: "subscription.pause", offered: status(billing.Active),
		fields: func(_ *console, _ *billing.Account, in url.Values) []field {
			return []field{unused(in), {Name: "until", Label: "Resume after this day", Hint: "Empty: until you resume it.", Type: "date", Value: in.Get("until")}}
		},
		command: func(_ context.Context, c *console, _ *billing.Account, in url.Values) (billing.Command, error) {
			t, err := c.day(in, "until")
			return billing.Pause{Until: t, Credit: in.Get("credit")}, err
		}},
	{Name: "resume", Link: "Resume", Title: "Resume the subscription", Writes: "subscription.resume", offered: status(billing.Paused),
		Text: "The subscription goes on at the terms it had.",
		command: func(context.Context, *console, *billing.Account, url.Values) (billing.Command, error) {
			return billing.Resume{}, nil
		}},
	{Name: "reactivate", Link: "Reactivate", Title: "Reactivate the subscription", Writes: "subscription.reactivate", offered: status(billing.Cancelled),
		Text: "A new period starts now, at the terms that the subscription had.",
		command: func(context.Context, *console, *billing.Account, url.Values) (billing.Command, error) {
			return billing.Reactivate{}, nil
		}},
	{Name: "stay", Link: "Undo cancellation", Title: "Undo the cancellation", Writes: "subscription.stay", Text: "The subscription goes on after its period as if it had not been cancelled.",
		offered: func(a *billing.Account) bool { return a.Sub().Live() && !a.Sub().Ends.IsZero() },
		command: func(context.Context, *console, *billing.Account, url.Values) (billing.Command, error) {
			return billing.Stay{}, nil
		}},
	{Name: "cancel", Link: "Cancel", Title: "Cancel the subscription", Kind: "danger", Writes: "subscription.cancel", Text: "The workspace can be read afterwards. Nothing is deleted, and it can be reactivated at any time.",
		offered: func(a *billing.Account) bool {
			return a.Sub().Ends.IsZero() && status(billing.Active, billing.Trialing)(a) || a.Sub().Status == billing.Paused
		}, fields: cancelFields,
		command: func(_ context.Context, _ *console, _ *billing.Account, in url.Values) (billing.Command, error) {
			return billing.Cancel{Now: in.Get("when") == "now", Credit: in.Get("credit"), Reason: note(in)}, nil
		}},
	{Name: "credit", Link: "Give credit", Title: "Give credit", Writes: "credit.give", Text: "Credit pays the customer's next invoices. It is an expense of promotion, not money paid back.",
		offered: func(*billing.Account) bool { return true },
		fields: func(_ *console, a *billing.Account, in url.Values) []field {
			return []field{amountField(a, in, ""), {Name: "until", Label: "Can be spent until", Hint: "Empty: for ever.", Type: "date", Value: in.Get("until")}}
		},
		command: func(_ context.Context, c *console, a *billing.Account, in url.Values) (billing.Command, error) {
			n, err := minor(a, in)
			if err != nil {
				return nil, err
			}
			t, err := c.day(in, "until")
			return billing.Give{Amount: n, Expires: t}, err
		}},
	{Name: "limit", Link: "Change a limit", Title: "Change a limit", Writes: "entitlement.override", Text: "This customer is granted something otherwise than by their plan, in every region and at once. It stays through changes of plan until it ends.",
		offered: func(a *billing.Account) bool { return a.Sub().Live() }, fields: limitFields,
		command: func(_ context.Context, c *console, _ *billing.Account, in url.Values) (billing.Command, error) {
			t, err := c.day(in, "until")
			return billing.Override{Feature: in.Get("feature"), Value: plainNumber(in.Get("value")), Until: t, Reason: note(in)}, err
		}},
	{Name: "unlimit", Link: "As in the plan", Title: "Grant it as in the plan", Writes: "entitlement.end", Text: "What was granted otherwise ends now.",
		offered: func(a *billing.Account) bool { return len(a.Overrides) > 0 },
		fields: func(c *console, a *billing.Account, in url.Values) []field {
			var ids []string
			for _, o := range a.Overrides {
				ids = append(ids, o.Feature)
			}
			return []field{featureField(c, in, ids)}
		},
		command: func(_ context.Context, _ *console, _ *billing.Account, in url.Values) (billing.Command, error) {
			return billing.EndOverride{Feature: in.Get("feature")}, nil
		}},
	{Name: "note", Link: "Credit note", Title: "Make a credit note", Invoice: true, Writes: "invoice.credit", Text: "Gives a part of an invoice back, with its tax. What is owed on it becomes less; the rest is credit, or is paid back.",
		forInvoice: func(a *billing.Account, v *invoice.Invoice) bool {
			return v.State != invoice.Void && left(a, v) > 0
		},
		fields: func(_ *console, a *billing.Account, in url.Values) []field {
			hint := ""
			if v := a.Invoice(in.Get("invoice")); v != nil {
				hint = "At most " + amount(left(a, v), a.Currency) + ", with tax."
			}
			return []field{amountField(a, in, hint), choice("to", "What becomes of what was paid", in, "balance", "Kept as credit", "refund", "Paid back"),
				{Name: "reason", Label: "Reason, as it stands on the credit note", Type: "text", Value: in.Get("reason"), Max: noteMax, Required: true}}
		},
		command: func(_ context.Context, _ *console, a *billing.Account, in url.Values) (billing.Command, error) {
			n, err := minor(a, in)
			return billing.CreditInvoice{Invoice: in.Get("invoice"), Gross: n, Refund: in.Get("to") == "refund", Reason: note(in)}, err
		}},
	{Name: "collect", Link: "Try again", Title: "Try to collect now", Invoice: true, Writes: "invoice.collect", Text: "The customer's payment method is charged now, without waiting for the next try of the schedule.",
		forInvoice: func(a *billing.Account, v *invoice.Invoice) bool {
			return v.State == invoice.Open && v.Due() > 0 && len(a.Methods) > 0 && a.Collect == ""
		},
		command: func(_ context.Context, _ *console, _ *billing.Account, in url.Values) (billing.Command, error) {
			return billing.Collect{Invoice: in.Get("invoice")}, nil
		}},
	{Name: "transfer", Link: "Book transfer", Title: "Book a bank transfer", Invoice: true, Writes: "payment.transfer", Text: "Money that arrived on the bank account for this invoice. What is more than is owed becomes credit.",
		forInvoice: func(_ *billing.Account, v *invoice.Invoice) bool {
			return v.Due() > 0 && (v.State == invoice.Open || v.State == invoice.Uncollectible)
		},
		fields: func(_ *console, a *billing.Account, in url.Values) []field {
			return []field{amountField(a, in, ""), {Name: "reference", Label: "The bank's reference of the transfer", Hint: "The same reference is booked once.", Type: "text", Value: in.Get("reference"), Max: noteMax, Required: true}}
		},
		command: func(_ context.Context, _ *console, a *billing.Account, in url.Values) (billing.Command, error) {
			n, err := minor(a, in)
			return billing.Wire{Invoice: in.Get("invoice"), ID: strings.TrimSpace(in.Get("reference")), Amount: n}, err
		}},
	{Name: "void", Link: "Make void", Title: "Make an invoice void", Kind: "danger", Invoice: true, Writes: "invoice.void", Text: "The invoice is not owed any more and its revenue is taken back. It keeps its number. Credit that it used is given back.",
		forInvoice: func(_ *billing.Account, v *invoice.Invoice) bool {
			return (v.State == invoice.Open || v.State == invoice.Uncollectible) && v.Received == 0 && v.Credited == 0
		},
		command: func(_ context.Context, _ *console, _ *billing.Account, in url.Values) (billing.Command, error) {
			return billing.Void{Invoice: in.Get("invoice")}, nil
		}},
	{Name: "uncollectible", Link: "Give up", Title: "Mark an invoice uncollectible", Kind: "danger", Invoice: true, Writes: "invoice.uncollectible", Text: "What is owed becomes a loss, and is not chased any more. It may still be paid.",
		forInvoice: func(_ *billing.Account, v *invoice.Invoice) bool { return v.State == invoice.Open && v.Due() > 0 },
		command: func(_ context.Context, _ *console, _ *billing.Account, in url.Values) (billing.Command, error) {
			return billing.GiveUp{Invoice: in.Get("invoice")}, nil
		}},
}

// done is what the customer's page says after an action.
var done = map[string]string{"plan": "The plan is changed.", "trial": "The trial is extended.", "pause": "The subscription is paused.", "resume": "The subscription goes on.",
	"reactivate": "The subscription runs again.", "stay": "The cancellation is undone.", "cancel": "The subscription is cancelled.", "credit": "The credit is given.",
	"note": "The credit note is issued.", "collect": "The payment was tried. See what came of it under Payments.", "transfer": "The transfer is booked.", "void": "The invoice is void.",
	"uncollectible": "The invoice is marked uncollectible.", "limit": "The limit is changed.", "unlimit": "It is as in the plan again."}

func actionOf(name string) (action, error) {
	for _, x := range actions {
		if x.Name == name {
			return x, nil
		}
	}
	return action{}, fault.Errorf("console.action", fault.NotFound, "There is no such action.")
}

// left is how much of an invoice can still be given back, with tax.
func left(a *billing.Account, v *invoice.Invoice) (sum int64) {
	if v.State == invoice.Draft {
		return 0
	}
	for _, l := range v.Lines {
		sum += max(0, v.LeftGross(l.ID, a.Notes))
	}
	return sum
}

func planFields(c *console, a *billing.Account, in url.Values) []field {
	cat := c.Billing.Catalog()
	f := field{Name: "plan", Label: "Plan", Type: "select", Required: true}
	for i := range cat.Plans {
		p := &cat.Plans[i]
		if v, err := p.At(c.Now()); err == nil && v.Sells(a.Currency) {
			f.Options = append(f.Options, option{p.ID, planName(cat, p.ID), p.ID == in.Get("plan") || in.Get("plan") == "" && p.ID == a.Sub().Plan})
		}
	}
	return []field{f, choice("when", "When", in, "", "As usual: dearer now, cheaper at the end", "now", "Now", "end", "At the end of the period")}
}

// toPlan moves the customer as their owner would, or to the newest version of the plan they have.
func toPlan(ctx context.Context, c *console, a *billing.Account, in url.Values) (billing.Command, error) {
	plan, sub := in.Get("plan"), a.Sub()
	if p, err := c.Billing.Catalog().Plan(plan); err == nil && sub.Live() && plan == sub.Plan {
		v, err := p.At(c.Now())
		if err != nil {
			return nil, err
		}
		if v.Number != sub.Items[0].Version {
			return billing.Change{Plan: plan, When: in.Get("when")}, nil
		}
	}
	cmd, err := c.Billing.ToPlan(ctx, id.ID(a.ID), plan)
	if ch, ok := cmd.(billing.Change); ok {
		ch.When = in.Get("when")
		cmd = ch
	}
	return cmd, err
}

func cancelFields(_ *console, a *billing.Account, in url.Values) []field {
	out := []field{choice("when", "When", in, "end", "At the end of the period", "now", "Now"), unused(in),
		{Name: "reason", Label: "Reason", Type: "text", Value: in.Get("reason"), Max: noteMax}}
	if a.Sub().Status == billing.Paused {
		out[0].Options = out[0].Options[1:]
	}
	return out
}

// unused asks what becomes of time that was paid and is not used.
func unused(in url.Values) field {
	return choice("credit", "Time that is paid and not used", in, "balance", "Kept as credit", "refund", "Paid back", "none", "Not given back")
}

func choice(name, label string, in url.Values, values ...string) field {
	f := field{Name: name, Label: label, Type: "select"}
	for i := 0; i < len(values); i += 2 {
		f.Options = append(f.Options, option{values[i], values[i+1], in.Get(name) == values[i]})
	}
	return f
}

func amountField(a *billing.Account, in url.Values, hint string) field {
	return field{Name: "amount", Label: "Amount in " + string(a.Currency), Hint: hint, Type: "amount", Value: in.Get("amount"), Required: true, Max: 20}
}

// minor reads an amount of the customer's currency.
func minor(a *billing.Account, in url.Values) (int64, error) {
	n, err := money.Parse(plainNumber(in.Get("amount")), a.Currency)
	if err != nil {
		return 0, err
	}
	if n.Minor <= 0 {
		return 0, fault.Errorf("console.amount", fault.Invalid, "Name an amount above zero, such as 25.00.")
	}
	return n.Minor, nil
}

// day reads a date; what begins or ends with it does so when it is over, in the zone of billing. Empty is the zero time.
func (c *console) day(in url.Values, name string) (time.Time, error) {
	text := in.Get(name)
	if text == "" {
		return time.Time{}, nil
	}
	t, err := time.ParseInLocation(time.DateOnly, text, c.Billing.Catalog().Zone)
	if err != nil {
		return t, fault.Errorf("console.day", fault.Invalid, "%q is not a day. Write it like 2026-11-30.", text)
	}
	return t.AddDate(0, 0, 1), nil
}

func note(in url.Values) string {
	s := strings.TrimSpace(in.Get("reason"))
	return strings.ToValidUTF8(s[:min(len(s), noteMax)], "")
}

func limitFields(c *console, _ *billing.Account, in url.Values) []field {
	var ids []string
	for _, f := range c.Billing.Catalog().Features {
		ids = append(ids, f.ID)
	}
	return []field{featureField(c, in, ids),
		{Name: "value", Label: "How much", Hint: "A number, unlimited or off. What has no number is on or off.", Type: "text", Value: in.Get("value"), Max: 40, Required: true},
		{Name: "until", Label: "The last day", Hint: "Empty: it stays.", Type: "date", Value: in.Get("until")},
		{Name: "reason", Label: "Reason", Hint: "For operators. The customer does not read it.", Type: "text", Value: in.Get("reason"), Max: noteMax, Required: true}}
}

func featureField(c *console, in url.Values, ids []string) field {
	f := field{Name: "feature", Label: "What", Type: "select", Required: true}
	for _, id := range ids {
		name := id
		if x := c.Billing.Catalog().Feature(id); x != nil {
			name = x.Name
		}
		f.Options = append(f.Options, option{id, name, id == in.Get("feature")})
	}
	return f
}

// plainNumber takes the commas out of a number as it is shown.
func plainNumber(s string) string { return strings.ReplaceAll(strings.TrimSpace(s), ",", "") }

// methodText is the customer's way to pay, for a preview.
func methodText(list []payment.Method) string {
	if len(list) == 0 {
		return "nobody is charged: there is no payment method"
	}
	return words(list[0].Kind) + " is charged"
}
