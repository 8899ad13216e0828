package api

import (
	"net/url"
	"strconv"

	"holdfast/sync/id"
)

// Webhook is an address that is told what happens in the billing. The secret is there only when it is new.
type Webhook struct {
	ID     string   `json:"id,omitempty"`
	URL    string   `json:"url"`
	Events []string `json:"events"` // empty: all
	On     bool     `json:"on"`
	Reason string   `json:"reason,omitempty"` // why it was switched off
	Secret string   `json:"secret,omitempty"`
}

// HookDelivery is an event on its way to a webhook.
type HookDelivery struct {
	ID     int64  `json:"id"`
	Event  string `json:"event"`
	State  string `json:"state"`
	AtMS   int64  `json:"atMS"`
	NextMS int64  `json:"nextMS"`
	Reason string `json:"reason"`
	Test   bool   `json:"test"` // of a test clock
}

func hook(tenant id.ID, rest string) string { return ws(tenant) + "/webhooks" + rest }

func one(w string) string { return "/" + url.PathEscape(w) }

// Webhooks lists a workspace's; the others change them.
func (c Client) Webhooks(tenant id.ID) (list []Webhook, p *Problem) {
	p = c.call("GET", hook(tenant, ""), nil, &list)
	return
}

// wish is how a webhook is to be.
type wish struct {
	URL    string   `json:"url"`
	Events []string `json:"events"`
	On     bool     `json:"on"`
}

func (c Client) AddWebhook(tenant id.ID, address string, events []string) (w Webhook, p *Problem) {
	p = c.call("POST", hook(tenant, ""), wish{address, events, true}, &w)
	return
}

func (c Client) ChangeWebhook(tenant id.ID, w Webhook) *Problem {
	return c.call("PUT", hook(tenant, one(w.ID)), wish{w.URL, w.Events, w.On}, nil)
}

func (c Client) RemoveWebhook(tenant id.ID, webhook string) *Problem {
	return c.call("DELETE", hook(tenant, one(webhook)), nil, nil)
}

func (c Client) NewWebhookSecret(tenant id.ID, webhook string) (w Webhook, p *Problem) {
	p = c.call("POST", hook(tenant, one(webhook)+"/secret"), struct{}{}, &w)
	return
}

func (c Client) HookDeliveries(tenant id.ID, webhook string) (list []HookDelivery, p *Problem) {
	p = c.call("GET", hook(tenant, one(webhook)+"/deliveries"), nil, &list)
	return
}

func (c Client) Resend(tenant id.ID, webhook, delivery string) *Problem {
	return c.call("POST", hook(tenant, one(webhook)+"/deliveries"+one(delivery)+"/resend"), struct{}{}, nil)
}

// ReplayWebhook sends every event since a moment once more and tells how many there are.
func (c Client) ReplayWebhook(tenant id.ID, webhook string, sinceMS int64) (n int, p *Problem) {
	var out struct {
		Events int `json:"events"`
	}
	p = c.call("POST", hook(tenant, one(webhook)+"/replay"), map[string]int64{"sinceMS": sinceMS}, &out)
	return out.Events, p
}

// DeliveryID is a delivery's number as a text.
func (d HookDelivery) DeliveryID() string { return strconv.FormatInt(d.ID, 10) }
