package biller

import (
	"context"

	"holdfast/server/billing"
	"holdfast/server/billingdb"
	"holdfast/server/catalog"
	"holdfast/server/entitlement"
	"holdfast/server/ledger"
	"holdfast/server/payment"
	"holdfast/sync/id"
)

// What operators see and do: the whole of billing, not one workspace as its owner sees it. Who may call these is decided by the caller.

// Accounts lists every customer's account as it is now, in the order of opening; not those on test clocks. Nothing of them may be changed.
func (s *Service) Accounts() []*billing.Account { return s.engine.Accounts() }

// Account is a workspace's account, brought to now.
func (s *Service) Account(ctx context.Context, tenant id.ID) (*billing.Account, error) {
	if _, err := s.fresh(ctx, tenant); err != nil {
		return nil, err
	}
	return s.of(tenant).engine.Account(string(tenant))
}

// Entitlements is what a workspace may use now, and how much of it is used.
func (s *Service) Entitlements(tenant id.ID) ([]entitlement.Entitlement, error) {
	b := s.of(tenant)
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.engine.Entitlements(string(tenant))
}

// Catalog is what is sold now.
func (s *Service) Catalog() *catalog.Catalog { return s.engine.Catalog() }

// Books are the ledgers: each customer's, then the house's.
func (s *Service) Books() []*ledger.Book { return s.engine.Books() }

// Stray lists transfers that match no invoice.
func (s *Service) Stray() []payment.Event { return s.engine.Stray() }

// Try tells what a command would do to a workspace's billing now. It changes nothing.
func (s *Service) Try(ctx context.Context, tenant id.ID, c billing.Command) (billing.Preview, error) {
	if _, err := s.fresh(ctx, tenant); err != nil {
		return billing.Preview{}, err
	}
	return s.of(tenant).engine.Preview(string(tenant), c)
}

// Do runs a command as Try showed it, and tells the regions at once what the workspace may do.
func (s *Service) Do(ctx context.Context, tenant id.ID, c billing.Command) error {
	return s.do(ctx, tenant, c)
}

// ToPlan is the command that moves a workspace to a plan with the seats that are taken: a dearer one now, a cheaper one at the end.
func (s *Service) ToPlan(ctx context.Context, tenant id.ID, plan string) (billing.Command, error) {
	return s.toPlan(ctx, tenant, plan)
}

// Reconcile compares everything now and keeps the rows that differ under this day.
func (s *Service) Reconcile(ctx context.Context) ([]billing.Difference, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.compare(ctx)
}

// Reconciliations lists the last comparisons, the newest first.
func (s *Service) Reconciliations(ctx context.Context) ([]billingdb.Run, error) {
	return s.db.Runs(ctx, runsShown)
}

// Known is a workspace's account as it is, without bringing it to now.
func (s *Service) Known(tenant id.ID) (*billing.Account, error) {
	return s.of(tenant).engine.Account(string(tenant))
}
