package hub

import (
	"context"
	"crypto/rand"

	"holdfast/server/mail"
	"holdfast/server/outbox"
	"holdfast/server/webhook"
)

// openOutbox begins to send what billing has to tell.
func (h *Hub) openOutbox(ctx context.Context) error {
	var sender *mail.Sender
	if h.cfg.Mail.Addr != "" {
		var err error
		if sender, err = mail.NewSender(h.cfg.Mail); err != nil {
			return err
		}
	}
	h.outbox = outbox.New(outbox.Config{DB: h.biller.Replies(), Book: h.biller, Mail: sender, Webhooks: webhook.NewSender(h.cfg.LocalWebhooks), Counted: h.notified, Now: h.cfg.Now, Rand: rand.Reader,
		Log: h.cfg.Log})
	h.outbox.Open(ctx)
	return nil
}
