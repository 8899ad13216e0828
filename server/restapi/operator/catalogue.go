package operator

import (
	"context"
	"net/http"

	"holdfast/server/biller"
	"holdfast/server/catalog"
	"holdfast/server/restapi/endpoint"
	"holdfast/sync/fault"
)

// CatalogFile is a catalogue as a file.
type CatalogFile struct {
	Text string `json:"text" minLength:"1" maxLength:"200000" doc:"YAML; holdfast catalog example prints one of everything"`
}

// CatalogNow is what is sold.
type CatalogNow struct {
	CatalogFile
	Own     bool     `json:"own" doc:"It is the operator's own and not the built-in one"`
	Plans   []string `json:"plans"`
	Addons  []string `json:"addons"`
	Meters  []string `json:"meters"`
	Coupons []string `json:"coupons"`
}

// CatalogChanges are what another catalogue would change.
type CatalogChanges struct {
	Changes []CatalogChange `json:"changes"`
	Refused string          `json:"refused,omitempty" doc:"Why it cannot be applied"`
}

// CatalogChange is one difference.
type CatalogChange catalog.Change

type catalogInput struct {
	endpoint.None
	Body CatalogFile
}

type migrateInput struct {
	endpoint.None
	Body struct {
		Plan string `json:"plan" minLength:"1" maxLength:"64"`
		From int    `json:"from,omitempty" minimum:"1" doc:"The version whose subscribers move; absent: all others"`
		To   int    `json:"to,omitempty" minimum:"1" doc:"Absent: the one for sale"`
		When string `json:"when,omitempty" enum:"end,now" default:"end"`
		Dry  bool   `json:"dry,omitempty" doc:"Only tell who would move"`
	}
}

func (r registrar) catalogue() {
	b := r.Billing
	endpoint.Register(r.all, op(http.MethodGet, "getCatalog", "/catalog", "What is sold, as a file"),
		func(context.Context, endpoint.None) (CatalogNow, error) { return r.catalogNow() })
	plan := op(http.MethodPost, "planCatalog", "/catalog/plan", "What selling by another file would change, and for whom")
	plan.Metadata = map[string]any{endpoint.Harmless: true}
	endpoint.Register(r.all, plan, func(_ context.Context, in catalogInput) (CatalogChanges, error) {
		list, err := b.PlanCatalog(in.Body.Text)
		out := CatalogChanges{Changes: catalogChanges(list)}
		if fault.KindOf(err) == fault.Conflict {
			out.Refused, err = fault.DetailOf(err), nil
		}
		return out, err
	})
	endpoint.Register(r.all, op(http.MethodPut, "applyCatalog", "/catalog", "Sell by another file from now on; subscribers stay on their versions"),
		func(ctx context.Context, in catalogInput) (CatalogChanges, error) {
			list, err := b.ApplyCatalog(ctx, in.Body.Text)
			return CatalogChanges{Changes: catalogChanges(list)}, err
		})
	endpoint.Register(r.all, op(http.MethodPost, "migrateSubscribers", "/catalog/migrate", "Move the subscribers of a plan's older versions to another version"),
		func(ctx context.Context, in migrateInput) ([]biller.Migrated, error) {
			x := in.Body
			return b.Migrate(ctx, biller.Migration{Plan: x.Plan, From: x.From, To: x.To, When: x.When, Dry: x.Dry})
		})
}

func catalogChanges(list []catalog.Change) []CatalogChange {
	out := []CatalogChange{}
	for _, c := range list {
		out = append(out, CatalogChange(c))
	}
	return out
}

func (r registrar) catalogNow() (CatalogNow, error) {
	text, own, err := r.Billing.CatalogText()
	c := r.Billing.Catalog()
	out := CatalogNow{CatalogFile: CatalogFile{text}, Own: own, Plans: []string{}, Addons: []string{}, Meters: []string{}, Coupons: []string{}}
	for _, p := range c.Plans {
		out.Plans = append(out.Plans, p.ID)
	}
	for _, p := range c.Addons {
		out.Addons = append(out.Addons, p.ID)
	}
	for _, m := range c.Meters {
		out.Meters = append(out.Meters, m.ID)
	}
	for _, k := range c.Coupons {
		out.Coupons = append(out.Coupons, k.ID)
	}
	return out, err
}
