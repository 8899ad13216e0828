package operator

import (
	"context"
	"net/http"
	"strings"
	"time"

	"holdfast/server/billing"
	"holdfast/server/restapi/endpoint"
	"holdfast/server/restapi/workspace"
)

// Featured names a feature of the catalogue in the path.
type Featured struct {
	endpoint.Workspace
	Feature string `path:"feature" maxLength:"64" doc:"The feature's id in the catalogue"`
}

// Detail is what the record says.
func (f Featured) Detail() string { return f.Feature }

type overrideInput struct {
	Featured
	Body struct {
		Value  string    `json:"value" minLength:"1" maxLength:"40" doc:"A number, unlimited or off; of a boolean feature on or off"`
		Until  time.Time `json:"until,omitempty" doc:"Then it is as in the plan again; absent: it stays"`
		Reason string    `json:"reason" minLength:"1" maxLength:"500" doc:"For operators; the customer does not read it"`
	}
}

// Detail is what the record says.
func (o overrideInput) Detail() string {
	parts := []string{o.Feature + " " + o.Body.Value}
	if !o.Body.Until.IsZero() {
		parts = append(parts, "until "+o.Body.Until.UTC().Format(time.RFC3339))
	}
	return strings.Join(append(parts, "reason "+o.Body.Reason), ", ")
}

func (r registrar) overrides() {
	const path = "/entitlements/{feature}/override"
	workspace.Command(r.one, r.Billing, op(http.MethodPost, "override", path, "Grant one customer a feature otherwise than their plan does, such as a higher limit"),
		func(_ context.Context, in overrideInput) (billing.Command, error) {
			return billing.Override{Feature: in.Feature, Value: in.Body.Value, Until: in.Body.Until, Reason: in.Body.Reason}, nil
		})
	workspace.Command(r.one, r.Billing, op(http.MethodPost, "endOverride", path+"/end", "Grant a feature as the plan does again"),
		func(_ context.Context, in Featured) (billing.Command, error) {
			return billing.EndOverride{Feature: in.Feature}, nil
		})
}
