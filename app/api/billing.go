package api

import (
	"net/url"
	"time"

	"holdfast/sync/id"
)

// Billing is a workspace's plan and what it costs. Amounts are texts with their currency.
type Billing struct {
	Plan struct {
		ID      string `json:"id"`
		Name    string `json:"name"`
		Seats   int64  `json:"seats"`
		UntilMS int64  `json:"untilMS"`
		Next    string `json:"next"` // the plan that follows then
		Status  string `json:"status"`

		EndsMS        int64 `json:"endsMS"`   // it is cancelled for then
		TrialMS       int64 `json:"trialMS"`  // a trial runs until then
		ResumeMS      int64 `json:"resumeMS"` // it is paused until then
		MayCancel     bool  `json:"mayCancel"`
		MayReactivate bool  `json:"mayReactivate"`
	} `json:"plan"`
	Standing  string         `json:"standing"` // good, past_due, restricted
	Zone      []Offset       `json:"zone"`     // the earliest first
	Plans     []BillingPlan  `json:"plans"`
	Usage     []BillingUsage `json:"usage"`
	Upcoming  *Bill          `json:"upcoming"`
	Invoices  []Invoice      `json:"invoices"`
	Methods   []PayMethod    `json:"methods"`
	Credit    string         `json:"credit"`
	Credits   []Credit       `json:"credits"`
	PastDue   []PastDue      `json:"pastDue"`
	Details   BillingDetails `json:"details"`
	Processor string         `json:"processor"` // test: no money is moved; stripe: methods are added on its page
	GoTo      string         `json:"goTo"`      // the page to which the browser has to go now
}

// Offset is by how much the clock of billing is ahead of UTC, from a moment on.
type Offset struct {
	FromMS  int64 `json:"fromMS"`
	AheadMS int64 `json:"aheadMS"`
}

// Day is the day of a moment on the clock of billing, whose midnights begin and end what is paid for.
func (b *Billing) Day(ms int64) string {
	ahead := int64(0)
	for i, o := range b.Zone {
		if i == 0 || o.FromMS <= ms {
			ahead = o.AheadMS
		}
	}
	return time.UnixMilli(ms + ahead).UTC().Format("2 January 2006")
}

// BillingPlan is a plan for sale.
type BillingPlan struct {
	ID     string   `json:"id"`
	Name   string   `json:"name"`
	Prices []string `json:"prices"`
	Grants []string `json:"grants"`
	Now    bool     `json:"now"`
}

// BillingUsage is a meter in the running month.
type BillingUsage struct {
	Meter    string  `json:"meter"`
	Unit     string  `json:"unit"`
	Name     string  `json:"name"`
	Used     int64   `json:"used"`
	Forecast int64   `json:"forecast"`
	Limit    int64   `json:"limit"`
	Soft     bool    `json:"soft"`
	Days     []int64 `json:"days"`
	DaysAll  int     `json:"daysAll"`
}

// Bill is what is or would be owed.
type Bill struct {
	Lines []BillLine `json:"lines"`
	Tax   string     `json:"tax"`
	Total string     `json:"total"`
	Due   string     `json:"due"`
}

type BillLine struct {
	Name     string `json:"name"`
	Quantity string `json:"quantity"`
	Amount   string `json:"amount"`
}

// Invoice is an invoice or a credit note.
type Invoice struct {
	Number   string `json:"number"`
	State    string `json:"state"`
	IssuedMS int64  `json:"issuedMS"`
	Total    string `json:"total"`
	Due      string `json:"due"`
	Confirm  bool   `json:"confirm"`
}

// PastDue is an invoice that was not paid, and what comes next.
type PastDue struct {
	Number     string `json:"number"`
	Due        string `json:"due"`
	Why        string `json:"why"`
	RetryMS    int64  `json:"retryMS"`
	RestrictMS int64  `json:"restrictMS"`
}

// Credit pays the next invoices.
type Credit struct {
	From      string `json:"from"`
	Left      string `json:"left"`
	ExpiresMS int64  `json:"expiresMS"`
}

type PayMethod struct {
	Kind string `json:"kind"`
	Text string `json:"text"`
}

// BillingDetails stand on the invoices.
type BillingDetails struct {
	Name    string   `json:"name"`
	Address []string `json:"address"`
	Country string   `json:"country"`
	VATID   string   `json:"vatID"`
	Email   string   `json:"email"`
}

// PlanChange is what changing to a plan would do.
type PlanChange struct {
	WhenMS int64    `json:"whenMS"` // 0: at once
	Due    string   `json:"due"`
	Bills  []Bill   `json:"bills"`
	Back   string   `json:"back"`
	Needs  []string `json:"needs"`
}

// Billing asks how a workspace is billed; the others change it and answer with how it is then.
func (c Client) Billing(tenant id.ID) (b Billing, p *Problem) {
	p = c.call("GET", ws(tenant)+"/billing", nil, &b)
	return
}

func (c Client) PreviewPlan(tenant id.ID, plan string) (v PlanChange, p *Problem) {
	p = c.call("POST", ws(tenant)+"/billing/preview", map[string]string{"plan": plan}, &v)
	return
}

func (c Client) ChangePlan(tenant id.ID, plan string) (b Billing, p *Problem) {
	p = c.call("POST", ws(tenant)+"/billing/plan", map[string]string{"plan": plan}, &b)
	return
}

func (c Client) CancelPlan(tenant id.ID) (b Billing, p *Problem) {
	p = c.call("POST", ws(tenant)+"/billing/cancel", struct{}{}, &b)
	return
}

func (c Client) ReactivatePlan(tenant id.ID) (b Billing, p *Problem) {
	p = c.call("POST", ws(tenant)+"/billing/reactivate", struct{}{}, &b)
	return
}

func (c Client) SetMethod(tenant id.ID, kind, token string) (b Billing, p *Problem) {
	p = c.call("PUT", ws(tenant)+"/billing/method", map[string]string{"kind": kind, "token": token}, &b)
	return
}

// AddMethod answers with the processor's page on which a payment method is added.
func (c Client) AddMethod(tenant id.ID) (b Billing, p *Problem) {
	p = c.call("POST", ws(tenant)+"/billing/method/page", struct{}{}, &b)
	return
}

func (c Client) SetBillingDetails(tenant id.ID, d BillingDetails) (b Billing, p *Problem) {
	p = c.call("PUT", ws(tenant)+"/billing/details", d, &b)
	return
}

func (c Client) ConfirmPayment(tenant id.ID, number string) (b Billing, p *Problem) {
	p = c.call("POST", ws(tenant)+"/billing/documents/"+url.PathEscape(number)+"/confirm", struct{}{}, &b)
	return
}

// Document is where an invoice can be downloaded: pdf, html or xml.
func Document(tenant id.ID, number, form string) string {
	return ws(tenant) + "/billing/documents/" + url.PathEscape(number) + "?as=" + form
}
