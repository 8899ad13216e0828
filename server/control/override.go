package control

import (
	"net/http"
	"strings"
	"time"

	"holdfast/server/billing"
	"holdfast/sync/fault"
)

// Override is what a workspace is granted of a feature otherwise than by its plan.
type Override struct {
	Value  string    `json:"value"`
	Reason string    `json:"reason"`
	Until  time.Time `json:"until,omitzero"`
}

func (s *service) overrideRoutes(mux *http.ServeMux) {
	const at = "/entitlements/{workspace}"
	s.handle(mux, "GET "+at, func(r *http.Request) (any, error) {
		if _, err := s.Billing.Account(r.Context(), workspace(r)); err != nil {
			return nil, unknownWorkspace(err)
		}
		return s.Billing.Entitlements(workspace(r))
	})
	s.handle(mux, "PUT "+at+"/{feature}", func(r *http.Request) (any, error) {
		var o Override
		if err := decode(r, &o); err != nil {
			return nil, err
		}
		detail := r.PathValue("feature") + " " + o.Value
		if !o.Until.IsZero() {
			detail += ", until " + o.Until.UTC().Format(time.RFC3339)
		}
		return nil, s.grant(r, "entitlement.override", detail+", reason "+o.Reason, billing.Override{Feature: r.PathValue("feature"), Value: o.Value, Reason: o.Reason, Until: o.Until})
	})
	s.handle(mux, "DELETE "+at+"/{feature}", func(r *http.Request) (any, error) {
		return nil, s.grant(r, "entitlement.end", r.PathValue("feature"), billing.EndOverride{Feature: r.PathValue("feature")})
	})
}

// grant changes what a workspace is granted and writes it down.
func (s *service) grant(r *http.Request, action, detail string, c billing.Command) error {
	if err := s.Billing.Do(r.Context(), workspace(r), c); err != nil {
		return unknownWorkspace(err)
	}
	return s.Operators.Audit(r.Context(), "", action, string(workspace(r)), detail)
}

// unknownWorkspace says where ids are found; what is said of features stays.
func unknownWorkspace(err error) error {
	if fault.KindOf(err) == fault.NotFound && !strings.Contains(fault.DetailOf(err), "feature") {
		return &fault.Error{Op: "control.grant", Kind: fault.NotFound, Detail: "There is no such workspace. Its id stands in its address, after /w/.", Err: err}
	}
	return err
}
