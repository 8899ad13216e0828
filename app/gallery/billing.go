package gallery

import (
	"strings"

	"holdfast/app/api"
)

var hooksPath = "/api/workspaces/" + string(Tenant) + "/webhooks"

var webhooks = []api.Webhook{{ID: "ep_1", URL: "https://erp.harborstudio.example/hooks/holdfast/billing", Events: []string{"invoice.issued", "invoice.paid"}, On: true},
	{ID: "ep_0", URL: "https://old.harborstudio.example/hook", Reason: "It did not accept an event in three days."}}

var billingPath = "/api/workspaces/" + string(Tenant) + "/billing"

// billing is a workspace in the middle of a month, and what a change of its plan would cost.
func billing(path string) any {
	bill := api.Bill{Lines: []api.BillLine{{Name: "Business", Amount: "16.33 EUR"}, {Name: "Seats", Quantity: "4", Amount: "14.67 EUR"}}, Tax: "6.20 EUR", Total: "37.20 EUR", Due: "37.20 EUR"}
	if strings.HasSuffix(path, "/preview") {
		return api.PlanChange{Due: "37.20 EUR", Back: "8.00 EUR", Bills: []api.Bill{bill}}
	}
	days := func(n int64) (out []int64) {
		for d := range int64(23) {
			out = append(out, n*(3+d*7%11)/8)
		}
		return out
	}
	b := api.Billing{Standing: "past_due", Credit: "12.50 EUR", Credits: []api.Credit{{From: "Credit note or overpayment", Left: "2.50 EUR"}, {From: "Given to you", Left: "10.00 EUR", ExpiresMS: Noon.AddDate(0, 3, 0).UnixMilli()}},
		PastDue: []api.PastDue{{Number: "HF-000042", Due: "28.80 EUR", Why: "insufficient funds", RetryMS: Noon.AddDate(0, 0, 2).UnixMilli(), RestrictMS: Noon.AddDate(0, 0, 9).UnixMilli()}}, Upcoming: &api.Bill{Lines: []api.BillLine{{Name: "Seats", Quantity: "4", Amount: "24.00 EUR"}, {Name: "Changes above a million", Quantity: "2", Amount: "2.00 EUR"}}, Tax: "5.20 EUR", Total: "31.20 EUR"},
		Plans: []api.BillingPlan{
			{ID: "free", Name: "Free", Prices: []string{"Seats: free"}, Grants: []string{"Seats: up to 10", "Changes this month: up to 1,000,000"}},
			{ID: "team", Name: "Team", Now: true, Prices: []string{"6.00 EUR for each seat and month", "Changes above a million: 1.00 EUR for each started package"}, Grants: []string{"Seats: up to 200"}},
			{ID: "business", Name: "Business", Prices: []string{"49.00 EUR a month", "11.00 EUR for each seat and month"}, Grants: []string{"Seats: as many as you need"}}},
		Usage: []api.BillingUsage{{Meter: "changes", Unit: "changes", Name: "Changes", Used: 912_400, Forecast: 1_190_000, Limit: 1_000_000, Soft: true, Days: days(39_000), DaysAll: 30},
			{Meter: "api-calls", Unit: "api-calls", Name: "API calls", Used: 350, Forecast: 456, Days: days(15), DaysAll: 30}, {Meter: "storage-byte-hours", Unit: "storage-byte-hours", Name: "Storage over time", Used: 2_900_000_000, Forecast: 3_780_000_000, Days: days(126_000_000), DaysAll: 30}},
		Invoices: []api.Invoice{{Number: "HF-000042", State: "open", IssuedMS: Noon.AddDate(0, 0, -22).UnixMilli(), Total: "28.80 EUR", Due: "28.80 EUR", Confirm: true}, {Number: "HF-000017", State: "paid", IssuedMS: Noon.AddDate(0, 0, -53).UnixMilli(), Total: "28.80 EUR"}},
		Methods:  []api.PayMethod{{Kind: "card", Text: "•••• 4242"}},
		Details:  api.BillingDetails{Name: "Harbor Studio", Address: []string{"Kai 3", "20457 Hamburg"}, Country: "DE", VATID: "DE136695976"}}
	b.Plan.Status, b.Plan.MayCancel = "active", !strings.HasSuffix(path, "/cancel")
	if b.Plan.MayReactivate = !b.Plan.MayCancel; b.Plan.MayReactivate {
		b.Plan.EndsMS = Noon.AddDate(0, 0, 8).UnixMilli()
	}
	b.Plan.ID, b.Plan.Name, b.Plan.Seats, b.Plan.UntilMS = "team", "Team", 4, Noon.AddDate(0, 0, 8).UnixMilli()
	return b
}
