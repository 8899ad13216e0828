package biller

import (
	"context"
	"time"

	"holdfast/server/billing"
	"holdfast/server/billingdb"
	"holdfast/server/tax"
	"holdfast/server/vies"
	"holdfast/sync/fault"
)

// Register knows which VAT numbers are valid. Unavailable: it says nothing now.
type Register interface {
	Check(ctx context.Context, vatID string) (tax.Status, error)
}

// askRegister asks about VAT numbers while nobody waits: new ones soon, known ones now and then.
func (s *Service) askRegister(ctx context.Context) {
	t := time.NewTicker(registerEvery)
	defer t.Stop()
	for {
		if err := s.checkVAT(ctx); err != nil && ctx.Err() == nil {
			s.cfg.Log.Error("VAT numbers have to be checked again", "err", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
	}
}

// checkVAT asks about every number that is due.
func (s *Service) checkVAT(ctx context.Context) error {
	checks, err := s.db.VATChecks(ctx)
	if err != nil {
		return err
	}
	for _, a := range s.engine.Accounts() {
		c := checks[a.ID]
		if c.Number != a.VATID {
			c = billingdb.VATCheck{Number: a.VATID}
		}
		if !vies.Knows(a.VATID) || c.Due.After(s.cfg.Now()) {
			continue
		}
		status, err := s.cfg.Register.Check(ctx, a.VATID)
		if ctx.Err() != nil {
			return nil
		}
		if err := s.answered(ctx, a.ID, c, status, err); err != nil {
			return err
		}
	}
	return nil
}

// answered takes an answer in, or plans to ask again. Without one the last status stands, and a notice says so, once.
func (s *Service) answered(ctx context.Context, account string, c billingdb.VATCheck, status tax.Status, failure error) error {
	now := s.cfg.Now()
	told := failure == nil
	if failure != nil {
		s.cfg.Log.Info("the VAT register did not answer", "tenant", account, "tries", c.Tries+1, "err", failure)
		told = c.Tries == 0
		c.Due = now.Add(registerSchedule[min(c.Tries, len(registerSchedule)-1)])
		c.Tries++
		status = tax.Unchecked
	} else {
		c.Tries, c.Due = 0, now.Add(registerAgain)
	}
	if told {
		if err := s.setVAT(ctx, account, c.Number, status); err != nil {
			return err
		}
	}
	return s.db.PutVATCheck(ctx, account, c)
}

// setVAT gives an account what the register says, unless its number or the answer is another one than before it was asked.
func (s *Service) setVAT(ctx context.Context, account, number string, status tax.Status) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	a, err := s.engine.Account(account)
	if err != nil || a.VATID != number || status != tax.Unchecked && a.VATStatus == status {
		return err
	}
	err = s.engine.Do(ctx, account, billing.CheckedVAT{Status: status})
	if fault.KindOf(err) == fault.Unavailable {
		return nil // the answer is kept; what it set off is done later
	}
	return err
}
