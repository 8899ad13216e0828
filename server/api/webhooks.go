package api

import (
	"strconv"
	"time"

	"holdfast/server/outbox"
	"holdfast/sync/fault"
)

func (a *api) webhookRoutes() {
	const at = " /api/workspaces/{tenant}/webhooks"
	const one = at + "/{endpoint}"
	a.route("GET"+at, signedIn, a.hook(false, nil, func(c *call, _ any) (any, error) { return a.Outbox.Endpoints(c.ctx, string(c.tenant())) }))
	a.route("POST"+at, signedIn, a.hook(true, newBody[outbox.Wish], func(c *call, in any) (any, error) {
		return a.Outbox.Add(c.ctx, string(c.tenant()), *in.(*outbox.Wish))
	}))
	a.route("PUT"+one, signedIn, a.hook(true, newBody[outbox.Wish], func(c *call, in any) (any, error) {
		return a.Outbox.Change(c.ctx, string(c.tenant()), c.r.PathValue("endpoint"), *in.(*outbox.Wish))
	}))
	a.route("DELETE"+one, signedIn, a.hook(true, nil, func(c *call, _ any) (any, error) {
		return nil, a.Outbox.Drop(c.ctx, string(c.tenant()), c.r.PathValue("endpoint"))
	}))
	a.route("POST"+one+"/secret", signedIn, a.hook(true, nil, func(c *call, _ any) (any, error) {
		return a.Outbox.Rotate(c.ctx, string(c.tenant()), c.r.PathValue("endpoint"))
	}))
	a.route("GET"+one+"/deliveries", signedIn, a.hook(false, nil, func(c *call, _ any) (any, error) {
		return a.Outbox.Deliveries(c.ctx, string(c.tenant()), c.r.PathValue("endpoint"), 0, deliveriesShown)
	}))
	a.route("POST"+one+"/deliveries/{delivery}/resend", signedIn, a.hook(true, nil, func(c *call, _ any) (any, error) {
		n, err := strconv.ParseInt(c.r.PathValue("delivery"), 10, 64)
		if err != nil {
			return nil, fault.Errorf("api.resend", fault.NotFound, "There is no such delivery. Load the list again.")
		}
		return nil, a.Outbox.Resend(c.ctx, string(c.tenant()), c.r.PathValue("endpoint"), n)
	}))
	a.route("POST"+one+"/replay", signedIn, a.hook(true, newBody[replayBody], func(c *call, in any) (any, error) {
		n, err := a.Outbox.Replay(c.ctx, string(c.tenant()), c.r.PathValue("endpoint"), time.UnixMilli(in.(*replayBody).SinceMS))
		return struct {
			Events int `json:"events"`
		}{n}, err
	}))
}

type replayBody struct {
	SinceMS int64 `json:"sinceMS"`
}

func newBody[T any]() any { return new(T) }

// hook lets those through who may see or change the billing, and reads the body.
func (a *api) hook(change bool, body func() any, do func(*call, any) (any, error)) func(*call) (any, error) {
	return func(c *call) (any, error) {
		if err := a.mayBill(c, change); err != nil {
			return nil, err
		}
		var in any
		if body != nil {
			in = body()
			if err := c.decode(in); err != nil {
				return nil, err
			}
		}
		return do(c, in)
	}
}
