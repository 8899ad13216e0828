package hub

import (
	"context"
	"time"

	"holdfast/server/api"
	"holdfast/server/metering"
	"holdfast/server/tenancy"
	"holdfast/sync/id"
	"holdfast/sync/usage"
)

// used is everything that is counted of workspaces: what metering has of the regions and the hub, and the people, who are known by their
// roles. The usage page and the invoices read it, so they cannot differ.
type used struct {
	*metering.Service
	tenants *tenancy.Service
	now     func() time.Time
}

// Parts gives a month's totals by meter and region (metering.Service.Parts), and the seats.
func (u used) Parts(ctx context.Context, tenant id.ID, month time.Time) ([]metering.Part, time.Time, error) {
	parts, asOf, err := u.Service.Parts(ctx, tenant, month)
	if err != nil {
		return nil, asOf, err
	}
	seats, err := u.seats(ctx, tenant, month)
	return append(parts, metering.Part{Meter: metering.Seats, Quantity: seats.Now, Gauge: true, At: seats.Since},
		metering.Part{Meter: metering.SeatHours, Quantity: seats.Hours}), asOf, err
}

func (u used) seats(ctx context.Context, tenant id.ID, month time.Time) (tenancy.Seats, error) {
	until := month.AddDate(0, 1, 0)
	if now := u.now(); until.After(now) {
		until = now.Add(time.Millisecond)
	}
	return u.tenants.SeatsIn(ctx, tenant, month, until)
}

// Month gives a month's totals by meter, for people.
func (u used) Month(ctx context.Context, tenant id.ID, month time.Time) ([]api.UsageRow, time.Time, error) {
	list, asOf, err := u.Service.Month(ctx, tenant, month)
	if err != nil {
		return nil, asOf, err
	}
	rows := make([]api.UsageRow, 0, len(list)+3)
	for _, t := range list {
		rows = append(rows, api.UsageRow{Meter: t.Meter, Unit: t.Unit, Quantity: t.Quantity})
	}
	seats, err := u.seats(ctx, tenant, month)
	return append(rows, api.UsageRow{Meter: metering.Seats, Unit: "seats", Quantity: seats.Now}, api.UsageRow{Meter: "seats-peak", Unit: "seats", Quantity: seats.Peak},
		api.UsageRow{Meter: metering.SeatHours, Unit: "seat-hours", Quantity: seats.Hours}), asOf, err
}

// notified counts a mail or webhook that was sent for a workspace. name names the message: telling it again counts nothing.
func (h *Hub) notified(ctx context.Context, tenant id.ID, name string, at time.Time) error {
	_, err := h.meter.Count(ctx, usage.Event{ID: usage.Notifications + "/" + name, Meter: usage.Notifications, Tenant: tenant, Time: at, Quantity: 1})
	return err
}
