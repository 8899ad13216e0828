package workspace

import (
	"context"
	"slices"
	"strconv"
	"time"

	"holdfast/server/biller"
	"holdfast/server/period"
	"holdfast/server/restapi/endpoint"
)

// Entitlement is what the workspace may use of one feature.
type Entitlement struct {
	Feature   string  `json:"feature"`
	Name      string  `json:"name"`
	Type      string  `json:"type" enum:"boolean,number,metered"`
	On        bool    `json:"on"`
	Unlimited bool    `json:"unlimited,omitempty"`
	Soft      bool    `json:"soft,omitempty" doc:"More than the limit is possible"`
	Limit     string  `json:"limit,omitempty"`
	Used      string  `json:"used,omitempty"`
	Left      string  `json:"left,omitempty"`
	Percent   int     `json:"percent,omitempty"`
	Window    *Span   `json:"window,omitempty" doc:"In which use is counted"`
	Alerts    []Alert `json:"alerts,omitempty"`
	Override  *Agreed `json:"override,omitempty" doc:"The operator granted it otherwise than the plan does"`
}

// Agreed is since when and until when something is granted otherwise.
type Agreed struct {
	Since time.Time  `json:"since"`
	Until *time.Time `json:"until,omitempty" doc:"Absent: it stays"`
}

// Alert is a share of a limit at which people are told.
type Alert struct {
	Percent int  `json:"percent"`
	Reached bool `json:"reached"`
}

// MeterUsage is what one meter counted.
type MeterUsage struct {
	Meter     string     `json:"meter"`
	Name      string     `json:"name"`
	Aggregate string     `json:"aggregate"`
	Quantity  string     `json:"quantity"`
	Events    int64      `json:"events"`
	Days      []DayUsage `json:"days,omitempty"`
}

// DayUsage is what one meter counted on a day.
type DayUsage struct {
	From     time.Time `json:"from"`
	Quantity string    `json:"quantity"`
}

type usageInput struct {
	Workspace
	From  time.Time `query:"from" required:"true" doc:"Such as 2026-11-01T00:00:00Z"`
	Until time.Time `query:"until" required:"true"`
	Meter string    `query:"meter" maxLength:"64" doc:"Only this one"`
	Daily bool      `query:"daily" doc:"Also day by day"`
}

// Notice is something that happened.
type Notice struct {
	ID   int       `json:"id"`
	At   time.Time `json:"at"`
	Kind string    `json:"kind"`
	Ref  string    `json:"ref,omitempty" doc:"What it is about, such as an invoice's number"`
	Text string    `json:"text"`
}

func (r registrar) usage() {
	endpoint.Register(r.Group, get("getPlans", "/plans", "Plans for sale to this workspace"),
		func(ctx context.Context, in Workspace) ([]biller.Offer, error) { return r.b.Offers(ctx, in.Tenant()) })
	endpoint.Register(r.Group, get("getEntitlements", "/entitlements", "What the workspace may use, how much of it is used, and at which share people are told"), r.entitlements)
	endpoint.Register(r.Group, get("getUsage", "/usage", "What the meters counted in a time range"), r.metered)
	endpoint.Register(r.Group, get("listNotices", "/notices", "What happened, the newest first; webhooks tell the same"),
		func(ctx context.Context, in Listing) (endpoint.Page[Notice], error) {
			a, err := r.account(ctx, in.Workspace)
			if err != nil {
				return endpoint.Page[Notice]{}, err
			}
			var list []Notice
			for _, n := range slices.Backward(a.Notices) {
				list = append(list, Notice{n.ID, n.At.UTC(), n.Kind, n.Ref, n.Text})
			}
			return endpoint.Cut(in.Paging, list, func(n Notice) string { return strconv.Itoa(n.ID) })
		})
}

func (r registrar) entitlements(ctx context.Context, in Workspace) ([]Entitlement, error) {
	if _, err := r.account(ctx, in); err != nil {
		return nil, err
	}
	list, err := r.b.Entitlements(in.Tenant())
	if err != nil {
		return nil, err
	}
	out := []Entitlement{}
	for _, e := range list {
		o := Entitlement{Feature: e.Feature, Name: e.Name, Type: e.Type, On: e.On, Unlimited: e.Unlimited, Soft: e.Soft}
		if e.Type != "boolean" && !e.Unlimited {
			o.Limit, o.Used, o.Left, o.Percent = e.Limit.Text(9), e.Used.Text(9), e.Left().Text(9), e.Percent()
		}
		if e.Type == "metered" {
			o.Window = span(e.Window)
		}
		if v := e.Override; v != nil {
			o.Override = &Agreed{v.Since.UTC(), moment(v.Until)}
		}
		for _, p := range e.Alerts {
			o.Alerts = append(o.Alerts, Alert{p, e.Percent() >= p})
		}
		out = append(out, o)
	}
	return out, nil
}

func (r registrar) metered(ctx context.Context, in usageInput) ([]MeterUsage, error) {
	list, err := r.b.Usage(ctx, in.Tenant(), in.Meter, period.Span{Start: in.From, End: in.Until}, in.Daily)
	if err != nil {
		return nil, err
	}
	out := []MeterUsage{}
	for _, m := range list {
		o := MeterUsage{Meter: m.Meter.ID, Name: m.Meter.Name, Aggregate: m.Meter.Aggregate, Quantity: m.Total.Units.Text(9), Events: m.Total.Events}
		for i, p := range m.Parts {
			o.Days = append(o.Days, DayUsage{m.Spans[i].Start.UTC(), p.Units.Text(9)})
		}
		out = append(out, o)
	}
	return out, nil
}
