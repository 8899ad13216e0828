package control

import (
	"io"
	"net/http"

	"holdfast/server/biller"
	"holdfast/server/catalog"
	"holdfast/sync/fault"
)

// Planned is what another catalogue would change. Refused says why it cannot be applied.
type Planned struct {
	Changes []catalog.Change `json:"changes"`
	Refused string           `json:"refused,omitempty"`
}

func body(r *http.Request) (string, error) {
	b, err := io.ReadAll(r.Body)
	return string(b), fault.As("control.body", fault.TooLarge, err)
}

func (s *service) planCatalog(r *http.Request) (any, error) {
	text, err := body(r)
	if err != nil {
		return nil, err
	}
	changes, err := s.Billing.PlanCatalog(text)
	return planned(changes, err)
}

func planned(changes []catalog.Change, err error) (any, error) {
	if fault.KindOf(err) == fault.Conflict {
		return Planned{changes, fault.DetailOf(err)}, nil
	}
	return Planned{Changes: changes}, err
}

func (s *service) applyCatalog(r *http.Request) (any, error) {
	text, err := body(r)
	if err != nil {
		return nil, err
	}
	changes, err := s.Billing.ApplyCatalog(r.Context(), text)
	if err == nil {
		err = s.Operators.Audit(r.Context(), "", "catalog.apply", "", "")
	}
	return planned(changes, err)
}

func (s *service) showCatalog(w http.ResponseWriter, _ *http.Request) error {
	text, _, err := s.Billing.CatalogText()
	if err == nil {
		_, err = io.WriteString(w, text)
	}
	return err
}

func (s *service) migrate(r *http.Request) (any, error) {
	var m biller.Migration
	if err := decode(r, &m); err != nil {
		return nil, err
	}
	list, err := s.Billing.Migrate(r.Context(), m)
	if err == nil && !m.Dry {
		err = s.Operators.Audit(r.Context(), "", "catalog.migrate", m.Plan, "")
	}
	return list, err
}
