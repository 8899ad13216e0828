package outbox

import (
	"context"
	"encoding/json"
	"strconv"

	"holdfast/server/billingdb"
	"holdfast/server/mail"
	"holdfast/sync/fault"
)

// countID names a delivery for metering: however often it is counted, it counts once.
func countID(v billingdb.Delivery) string { return "delivery/" + strconv.FormatInt(v.Seq, 10) }

// mail sends a mail, after it is composed and kept.
func (s *Service) mail(ctx context.Context, v billingdb.Delivery, n billingdb.Told) error {
	began := s.cfg.Now()
	l, skip, err := s.letter(ctx, v, n)
	v.Recipient = l.To
	switch k := fault.KindOf(err); {
	case err != nil: // also a defect of ours: the mails behind it must not wait
		_, err = s.tried(ctx, v, began, err, k == fault.Invalid || k == fault.NotFound, false, mailSchedule)
		return err
	case skip != "":
		return s.skip(ctx, v, billingdb.Skipped, skip)
	case n.Test():
		return s.skip(ctx, v, billingdb.Kept, "It is of a test clock, so it is not sent.")
	case s.cfg.Mail == nil:
		s.cfg.Log.Warn("a mail is kept, because no mail server is set; read it with 'holdfast mail show'", "mail", v.Seq, "tenant", v.Account, "kind", v.Kind)
		return s.skip(ctx, v, billingdb.Kept, "No mail server is set (--smtp).")
	}
	var pdf []byte
	if l.Attach != "" {
		if pdf, err = s.cfg.Book.Attachment(v.Account, l.Attach); err != nil {
			_, err = s.tried(ctx, v, began, err, false, false, mailSchedule)
			return err
		}
	}
	failure := s.cfg.Mail.Send(ctx, l, n.At, pdf)
	if stopped(ctx, failure) {
		return nil
	}
	_, err = s.tried(ctx, v, began, failure, fault.KindOf(failure) == fault.Invalid, !l.Operator, mailSchedule)
	return err
}

// letter is what was composed before, or is composed now.
func (s *Service) letter(ctx context.Context, v billingdb.Delivery, n billingdb.Told) (l mail.Letter, skip string, err error) {
	doc, err := s.cfg.DB.Letter(ctx, v.Seq)
	if err != nil {
		return l, "", err
	}
	if doc != nil {
		return l, "", fault.As("outbox.letter", fault.Corrupt, json.Unmarshal(doc, &l))
	}
	f, skip, err := s.cfg.Book.Facts(n)
	if err != nil || skip != "" {
		return l, skip, err
	}
	if l, err = mail.Compose(f); err != nil {
		return l, "", err
	}
	if doc, err = json.Marshal(l); err != nil {
		return l, "", fault.E("outbox.letter", fault.Other, err)
	}
	if err := s.cfg.DB.Compose(ctx, v.Seq, doc, l.To); err != nil {
		return l, "", err
	}
	if l.To == "" {
		who := "The workspace has no billing e-mail. An owner can add one on the billing page."
		if f.Operator {
			who = "The catalogue names no e-mail of the seller."
		}
		return l, who, nil
	}
	return l, "", mail.CheckAddress(l.To)
}

// Mails lists mails, the newest first, below a number (0: all) and of one workspace (empty: all).
func (s *Service) Mails(ctx context.Context, account string, below int64, most int) ([]billingdb.Delivery, error) {
	return s.cfg.DB.Deliveries(ctx, billingdb.MailLane, account, below, min(max(most, 1), PageMax))
}

// Mail reads a mail with its tries. The letter is empty while it is not composed.
func (s *Service) Mail(ctx context.Context, seq int64) (v billingdb.Delivery, l mail.Letter, tries []billingdb.Attempt, err error) {
	if v, err = s.delivery(ctx, billingdb.MailLane, seq); err != nil {
		return v, l, nil, err
	}
	doc, err := s.cfg.DB.Letter(ctx, seq)
	if err == nil && doc != nil {
		err = fault.As("outbox.Mail", fault.Corrupt, json.Unmarshal(doc, &l))
	}
	if err == nil {
		tries, err = s.cfg.DB.Attempts(ctx, seq)
	}
	return v, l, tries, err
}

// SendMail sends a mail once more, composed anew for the address of now. Mails of test clocks are not sent.
func (s *Service) SendMail(ctx context.Context, seq int64) error {
	v, err := s.delivery(ctx, billingdb.MailLane, seq)
	if err != nil {
		return err
	}
	if v.Test != 0 {
		return fault.Errorf("outbox.SendMail", fault.Conflict, "This mail is of a test clock. It can be read, and is not sent.")
	}
	return s.again(ctx, billingdb.MailLane, seq)
}

// delivery finds a delivery of a lane.
func (s *Service) delivery(ctx context.Context, lane string, seq int64) (billingdb.Delivery, error) {
	v, err := s.cfg.DB.Delivery(ctx, seq)
	if fault.KindOf(err) == fault.NotFound || err == nil && v.Lane != lane {
		return v, fault.Errorf("outbox.delivery", fault.NotFound, "There is nothing with the number %d. Look at the list again.", seq)
	}
	return v, err
}

func (s *Service) again(ctx context.Context, lane string, seq int64) error {
	v, err := s.delivery(ctx, lane, seq)
	if err == nil {
		err = s.cfg.DB.Again(ctx, v.Seq, s.cfg.Now())
	}
	s.Wake()
	return err
}
