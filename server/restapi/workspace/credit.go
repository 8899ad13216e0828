package workspace

import (
	"context"
	"time"

	"holdfast/server/billing"
	"holdfast/server/restapi/endpoint"
)

// Wallet is the credit that pays invoices.
type Wallet struct {
	Left   Money       `json:"left"`
	Grants []GrantRow  `json:"grants"`
	TopUp  *TopUpRules `json:"top_up,omitempty" doc:"Buys credit when little is left"`
}

// GrantRow is one credit.
type GrantRow struct {
	ID       string     `json:"id"`
	Kind     string     `json:"kind" enum:"balance,prepaid,promotional"`
	Amount   Money      `json:"amount"`
	Left     Money      `json:"left"`
	Active   bool       `json:"active" doc:"A bought one is active once it is paid"`
	Priority int        `json:"priority" doc:"The lowest is spent first"`
	Created  time.Time  `json:"created"`
	Expires  *time.Time `json:"expires,omitempty"`
}

// TopUpRules say when credit is bought by itself.
type TopUpRules struct {
	Below     Money `json:"below"`
	Amount    Money `json:"amount"`
	LastsDays int   `json:"lasts_days,omitempty" minimum:"0" maximum:"3650" doc:"Until bought credit expires; 0: never"`
}

type buyInput struct {
	Workspace
	Body struct {
		Amount   Money     `json:"amount"`
		Expires  time.Time `json:"expires,omitempty" doc:"Absent: never"`
		Priority *int      `json:"priority,omitempty" minimum:"0" maximum:"1000"`
	}
}

type topUpInput struct {
	Workspace
	Body struct {
		Rule *TopUpRules `json:"rule,omitempty" doc:"Absent: nothing is bought by itself"`
	}
}

func wallet(a *billing.Account) Wallet {
	w := Wallet{Grants: []GrantRow{}}
	var left int64
	for _, g := range a.Credits {
		if g.Active {
			left += g.Left
		}
		w.Grants = append(w.Grants, GrantRow{g.ID, g.Kind, endpoint.Of(g.Amount, a.Currency), endpoint.Of(g.Left, a.Currency), g.Active, g.Priority, g.Created.UTC(), moment(g.Expires)})
	}
	w.Left = endpoint.Of(left, a.Currency)
	if t := a.TopUp; t != nil {
		w.TopUp = &TopUpRules{endpoint.Of(t.Below, a.Currency), endpoint.Of(t.Amount, a.Currency), int(t.Lasts / (24 * time.Hour))}
	}
	return w
}

func (r registrar) credit() {
	endpoint.Register(r.Group, get("getCredits", "/credits", "The credit that pays invoices, grant by grant"),
		func(ctx context.Context, in Workspace) (Wallet, error) {
			a, err := r.account(ctx, in)
			if err != nil {
				return Wallet{}, err
			}
			return wallet(a), nil
		})
	Command(r.Group, r.run, post("buyCredit", "/credits/buy", "Buy credit ahead; it counts once it is paid"),
		func(ctx context.Context, in buyInput) (billing.Command, error) {
			a, err := r.account(ctx, in.Workspace)
			if err != nil {
				return nil, err
			}
			n, err := in.Body.Amount.Minor(a.Currency)
			return billing.Buy{Amount: n, Expires: in.Body.Expires, Priority: in.Body.Priority}, err
		})
	endpoint.Register(r.Group, put("setTopUp", "/credits/top-up", "Set when credit is bought by itself"),
		func(ctx context.Context, in topUpInput) (Wallet, error) {
			a, err := r.account(ctx, in.Workspace)
			if err != nil {
				return Wallet{}, err
			}
			c := billing.Auto{}
			if t := in.Body.Rule; t != nil {
				c.Rule = &billing.TopUp{Lasts: time.Duration(t.LastsDays) * 24 * time.Hour}
				if c.Rule.Below, err = t.Below.Minor(a.Currency); err != nil {
					return Wallet{}, err
				}
				if c.Rule.Amount, err = t.Amount.Minor(a.Currency); err != nil {
					return Wallet{}, err
				}
			}
			done, err := r.b.Run(ctx, in.Tenant(), c)
			if err != nil {
				return Wallet{}, err
			}
			return wallet(done.After), nil
		})
}
