package control

import (
	"net/http"
	"strconv"
	"time"

	"holdfast/server/mail"
	"holdfast/server/outbox"
	"holdfast/sync/fault"
)

// Mail is a mail with its text and tries.
type Mail struct {
	outbox.Delivery
	Letter mail.Letter `json:"letter"`
}

// Webhook is an address of the operator's.
type Webhook struct {
	outbox.Wish
	Tests bool `json:"tests"` // it hears of test clocks too
}

// outboxRoutes show the mails and manage the operator's own webhooks.
func (s *service) outboxRoutes(mux *http.ServeMux) {
	s.handle(mux, "GET /mails", s.mails)
	s.handle(mux, "GET /mails/{mail}", s.mail)
	s.handle(mux, "POST /mails/{mail}/send", func(r *http.Request) (any, error) {
		n, err := number(r, "mail")
		if err != nil {
			return nil, err
		}
		return nil, s.Outbox.SendMail(r.Context(), n)
	})
	s.handle(mux, "GET /webhooks", func(r *http.Request) (any, error) { return s.Outbox.Endpoints(r.Context(), "") })
	s.handle(mux, "POST /webhooks", func(r *http.Request) (any, error) {
		var w Webhook
		if err := decode(r, &w); err != nil {
			return nil, err
		}
		w.Wish.Tests = w.Tests
		return s.Outbox.Add(r.Context(), "", w.Wish)
	})
	s.handle(mux, "DELETE /webhooks/{endpoint}", func(r *http.Request) (any, error) {
		return nil, s.Outbox.Drop(r.Context(), "", r.PathValue("endpoint"))
	})
	s.handle(mux, "POST /webhooks/{endpoint}/secret", func(r *http.Request) (any, error) {
		return s.Outbox.Rotate(r.Context(), "", r.PathValue("endpoint"))
	})
	s.handle(mux, "GET /webhooks/{endpoint}/deliveries", func(r *http.Request) (any, error) {
		return s.Outbox.Deliveries(r.Context(), "", r.PathValue("endpoint"), 0, outbox.PageMax)
	})
	s.handle(mux, "POST /webhooks/{endpoint}/replay", func(r *http.Request) (any, error) {
		since, err := time.Parse(time.RFC3339, r.URL.Query().Get("since"))
		if err != nil {
			return nil, fault.Errorf("control.replay", fault.Invalid, "Write the moment such as 2026-11-23T10:00:00Z.")
		}
		return s.Outbox.Replay(r.Context(), "", r.PathValue("endpoint"), since)
	})
}

func number(r *http.Request, name string) (int64, error) {
	n, err := strconv.ParseInt(r.PathValue(name), 10, 64)
	if err != nil {
		return 0, fault.Errorf("control.number", fault.Invalid, "%q is no number.", r.PathValue(name))
	}
	return n, nil
}

func (s *service) mails(r *http.Request) (any, error) {
	list, err := s.Outbox.Mails(r.Context(), r.URL.Query().Get("workspace"), 0, outbox.PageMax)
	out := make([]outbox.Delivery, len(list))
	for i, v := range list {
		out[i] = outbox.Shown(v, nil)
	}
	return out, err
}

func (s *service) mail(r *http.Request) (any, error) {
	n, err := number(r, "mail")
	if err != nil {
		return nil, err
	}
	v, l, tries, err := s.Outbox.Mail(r.Context(), n)
	return Mail{outbox.Shown(v, tries), l}, err
}
