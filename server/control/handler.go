package control

import (
	"encoding/json"
	"log/slog"
	"net/http"
	"net/url"

	"holdfast/server/biller"
	"holdfast/server/operator"
	"holdfast/server/outbox"
	"holdfast/sync/fault"
	"holdfast/sync/id"
	"holdfast/sync/problem"
)

// Config is what the handler needs.
type Config struct {
	Operators *operator.Service
	Billing   *biller.Service
	Outbox    *outbox.Service
	Origin    string // under which people open Holdfast
	Log       *slog.Logger
}

type service struct{ Config }

// New makes the handler of what commands ask of the hub.
func New(cfg Config) http.Handler {
	s := &service{cfg}
	mux := http.NewServeMux()
	s.handle(mux, "POST /operators/links", s.invite)
	s.handle(mux, "GET /operators", func(r *http.Request) (any, error) { return s.Operators.List(r.Context()) })
	s.handle(mux, "DELETE /operators/{person}", func(r *http.Request) (any, error) {
		return nil, s.Operators.Remove(r.Context(), id.ID(r.PathValue("person")))
	})
	s.outboxRoutes(mux)
	s.overrideRoutes(mux)
	mux.HandleFunc("GET /catalog", func(w http.ResponseWriter, r *http.Request) {
		if err := s.showCatalog(w, r); err != nil {
			problem.Write(w, err)
		}
	})
	s.handle(mux, "POST /catalog/plan", s.planCatalog)
	s.handle(mux, "POST /catalog/apply", s.applyCatalog)
	s.handle(mux, "POST /catalog/migrate", s.migrate)
	s.handle(mux, "GET /clocks", func(*http.Request) (any, error) { return s.Billing.TestClocks(), nil })
	s.handle(mux, "PUT /clocks/{workspace}", s.startClock)
	s.handle(mux, "POST /clocks/{workspace}/advance", s.advanceClock)
	s.handle(mux, "DELETE /clocks/{workspace}", s.endClock)
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		problem.Write(w, fault.Errorf("control", fault.Unsupported, "The running hub does not know this command: it is of another version. Restart it with this one."))
	})
	return mux
}

func decode(r *http.Request, v any) error {
	return fault.As("control.decode", fault.Invalid, json.NewDecoder(r.Body).Decode(v))
}

// handle registers what answers JSON, or nothing.
func (s *service) handle(mux *http.ServeMux, pattern string, do func(*http.Request) (any, error)) {
	mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
		answer, err := do(r)
		var b []byte
		if err == nil && answer != nil {
			b, err = json.Marshal(answer)
		}
		if err != nil {
			if p := problem.Write(w, err); p.Status >= http.StatusInternalServerError {
				s.Log.Error("a command failed", "route", pattern, "err", err)
			}
			return
		}
		if b == nil {
			w.WriteHeader(http.StatusNoContent)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		w.Write(b) // a failed write is a command that was interrupted
	})
}

// Invited is a link that makes an operator.
type Invited struct {
	URL       string `json:"url"`
	ExpiresMS int64  `json:"expiresMS"`
}

// invite makes a link to AcceptPath.
func (s *service) invite(r *http.Request) (any, error) {
	l, err := s.Operators.Invite(r.Context())
	if err != nil {
		return nil, err
	}
	u, err := url.JoinPath(s.Origin, operator.AcceptPath, l.Code)
	return Invited{u, l.ExpiresMS}, fault.As("control.invite", fault.Other, err)
}
